import type { Clock, Timer } from '../rpc/clock.js';

export interface LookQueueOptions {
  readonly inFlight: number;
  readonly perSecond: number;
  readonly clock: Clock;
}

export interface LookQueue {
  /** Runs it in its turn. Settles as it does; never, once stopped before its turn. */
  run<T>(look: () => Promise<T>): Promise<T>;
  stop(): void;
}

/** First come, first served; so many at a time, and so many a second, whatever the manager could bear. */
export function createLookQueue({ inFlight, perSecond, clock }: LookQueueOptions): LookQueue {
  let waiting: (() => void)[] = [];
  let running = 0;
  let allowance = inFlight;
  let refilledAtMs = clock.nowMs();
  let timer: Timer | undefined;

  const refill = (): void => {
    const nowMs = clock.nowMs();
    allowance = Math.min(inFlight, allowance + ((nowMs - refilledAtMs) * perSecond) / 1_000);
    refilledAtMs = nowMs;
  };
  const pump = (): void => {
    refill();
    while (running < inFlight && allowance >= 1) {
      const next = waiting.shift();
      if (next === undefined) return;
      running++;
      allowance--;
      next();
    }
    if (running >= inFlight || waiting.length === 0) return;
    timer?.cancel();
    timer = clock.setTimer(Math.ceil(((1 - allowance) * 1_000) / perSecond), pump);
  };

  return {
    run: (look) =>
      new Promise((resolve, reject) => {
        const start = (): void => {
          look()
            .then(resolve, reject)
            .finally(() => {
              running--;
              pump();
            });
        };
        waiting.push(start);
        pump();
      }),
    stop() {
      waiting = [];
      timer?.cancel();
    },
  };
}
