import type { Clock } from '../../rpc/clock.js';

/** How fast simulated time runs, and by which clock. */
export interface Pace {
  readonly clock: Clock;
  /** A real duration as it lasts here, ms: divided by the time factor. */
  scaled(realMs: number): number;
}

/** `timeFactor` 10: everything ten times as fast. */
export function createPace(clock: Clock, timeFactor: number): Pace {
  if (!(timeFactor > 0)) throw new RangeError(`timeFactor must be above 0, not ${timeFactor}`);
  return { clock, scaled: (realMs) => realMs / timeFactor };
}
