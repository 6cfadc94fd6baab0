import type { Clock } from './clock.js';

/** Does the work when its turn comes. */
export type Slots = <T>(work: () => Promise<T>) => Promise<T>;

export interface SlotsOptions {
  readonly atOnce: number;
  /** Who takes longer goes on, and the next one begins. */
  readonly patienceMs: number;
  /** The next one begins only after as long again, but for `patienceMs`: who takes long because all are busy is to leave half of the time to others. */
  readonly rests?: boolean;
  readonly clock: Clock;
}

/** A few at a time, so that what takes long for many at once does not take long for each. */
export function createSlots({ atOnce, patienceMs, rests = false, clock }: SlotsOptions): Slots {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  const next = (): void => {
    const begin = free > 0 ? waiting.shift() : undefined;
    if (begin === undefined) return;
    free--;
    begin();
  };
  const leave = (): void => {
    free++;
    next();
  };
  return <T>(work: () => Promise<T>): Promise<T> =>
    new Promise((resolve) => {
      waiting.push(() => {
        const sinceMs = clock.nowMs();
        const left = { already: false };
        const leaveOnce = (): void => {
          if (left.already) return;
          left.already = true;
          leave();
        };
        const impatience = clock.setTimer(patienceMs, leaveOnce);
        const ended = (): void => {
          impatience.cancel();
          const tookMs = clock.nowMs() - sinceMs;
          const restMs = rests ? Math.min(tookMs, patienceMs - tookMs) : 0;
          if (restMs > 0) clock.setTimer(restMs, leaveOnce);
          else leaveOnce();
        };
        resolve(work().finally(ended));
      });
      next();
    });
}
