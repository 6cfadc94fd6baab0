import type { Clock, Timer } from '../rpc/clock.js';
import type { AnswerKind, GatewayEvent } from './events.js';

/** What happened in one interval, and how things stood at its end. */
export interface Sample {
  /** End of the interval, Unix ms, for people. */
  readonly atWallMs: number;
  readonly answers: Readonly<Record<AnswerKind, number>>;
  /** Attempts that came back from a manager, and those of them that were faults. */
  readonly attempts: number;
  readonly faults: number;
  /** Of the attempts; undefined: there were none. */
  readonly meanLatencyMs: number | undefined;
  readonly connectionsOpened: number;
  readonly channelsCreated: number;
  readonly connections: number;
  readonly channelsReady: number;
}

/** The last hour in steps of five seconds: enough for curves, and bounded. */
export interface History {
  readonly subscriber: (event: GatewayEvent) => void;
  readonly stepMs: number;
  /** Oldest first. */
  samples(): readonly Sample[];
  /** Told of each new sample; returns the way to stop. */
  watch(told: (sample: Sample) => void): () => void;
  start(): void;
  stop(): void;
}

export interface HistoryOptions {
  readonly connections: () => number;
  readonly channelsReady: () => number;
  readonly clock: Clock;
}

const STEP_MS = 5_000;
const SAMPLES = 720;

type Counting = {
  answers: Record<AnswerKind, number>;
  attempts: number;
  faults: number;
  latencySumMs: number;
  connectionsOpened: number;
  channelsCreated: number;
};

const nothing = (): Counting => ({
  answers: { hit: 0, stale: 0, miss: 0, forwarded: 0, local: 0, refused: 0 },
  attempts: 0,
  faults: 0,
  latencySumMs: 0,
  connectionsOpened: 0,
  channelsCreated: 0,
});

export function createHistory({ connections, channelsReady, clock }: HistoryOptions): History {
  const samples: Sample[] = [];
  const watchers = new Set<(sample: Sample) => void>();
  let now = nothing();
  let timer: Timer | undefined;

  const take = (): void => {
    const { latencySumMs, ...counted } = now;
    const sample: Sample = {
      ...counted,
      atWallMs: clock.wallMs(),
      meanLatencyMs: counted.attempts === 0 ? undefined : latencySumMs / counted.attempts,
      connections: connections(),
      channelsReady: channelsReady(),
    };
    now = nothing();
    samples.push(sample);
    if (samples.length > SAMPLES) samples.shift();
    for (const told of [...watchers]) told(sample);
    timer = clock.setTimer(STEP_MS, take);
  };

  return {
    subscriber(event) {
      switch (event.kind) {
        case 'call-answered':
          now.answers[event.answer]++;
          return;
        case 'manager-answered':
          now.attempts++;
          now.latencySumMs += event.latencyMs;
          if (event.errorClass !== undefined) now.faults++;
          return;
        case 'connection-opened':
          now.connectionsOpened++;
          return;
        case 'channel-created':
          now.channelsCreated++;
          return;
        default:
          // The rest is for the log and the metrics.
          return;
      }
    },
    stepMs: STEP_MS,
    samples: () => samples,
    watch(told) {
      watchers.add(told);
      return () => watchers.delete(told);
    },
    start() {
      timer = clock.setTimer(STEP_MS, take);
    },
    stop: () => timer?.cancel(),
  };
}
