import type { Clock } from './clock.js';

const SPREAD_MS = 2_000;
const SPREAD_SHARE = 0.25;

/**
 * Runs each at a moment of its own, so that not all who are told to go are at the next door at once: within 2 s, or a quarter of the time
 * until `deadlineMs` on the monotonic clock if that is less. Resolves when all are done; rejects if one of them does.
 */
export async function staggered(
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
  deadlineMs: number,
  runs: readonly (() => Promise<void> | void)[],
): Promise<void> {
  const spreadMs = Math.min(SPREAD_MS, (deadlineMs - clock.nowMs()) * SPREAD_SHARE);
  const later = (run: () => Promise<void> | void): Promise<void> =>
    new Promise((resolve, reject) => {
      clock.setTimer(random() * spreadMs, () => {
        Promise.resolve(run()).then(resolve, reject);
      });
    });
  await Promise.all(runs.map(later));
}
