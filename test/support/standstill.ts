import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * How long this process, with everything in it, stood still at the most: other work on the machine. What has a limit in real time is
 * allowed a few of these beside it; on a machine that is the test's own they are some milliseconds.
 */
export interface Standstill {
  /** ms so far. */
  readonly longestMs: number;
  /** What they may have added to something that takes several steps, ms. */
  readonly allowanceMs: number;
  stop(): void;
}

const STEPS = 3;

/** What so long a standstill may have added to something that takes several steps, ms. */
export function allowanceFor(stillMs: number): number {
  return STEPS * stillMs;
}

export function watchStandstill(): Standstill {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  return {
    get longestMs() {
      return delays.max / 1e6;
    },
    get allowanceMs() {
      return allowanceFor(delays.max / 1e6);
    },
    stop: () => void delays.disable(),
  };
}
