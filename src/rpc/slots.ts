import type { Clock } from './clock.js';

/** Does the work when its turn comes. */
export type Slots = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * A few at a time, so that what takes long for many at once does not take long for each. Who takes longer than `patienceMs` goes on, and
 * the next one begins.
 */
export function createSlots(atOnce: number, patienceMs: number, clock: Clock): Slots {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  const next = (): void => {
    const begin = free > 0 ? waiting.shift() : undefined;
    if (begin === undefined) return;
    free--;
    begin();
  };
  return <T>(work: () => Promise<T>): Promise<T> =>
    new Promise((resolve) => {
      waiting.push(() => {
        let over = false;
        const leave = (): void => {
          if (over) return;
          over = true;
          timer.cancel();
          free++;
          next();
        };
        const timer = clock.setTimer(patienceMs, leave);
        resolve(work().finally(leave));
      });
      next();
    });
}
