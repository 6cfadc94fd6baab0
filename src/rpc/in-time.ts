import type { Clock, Timer } from './clock.js';

/** Have all of them ended by `deadlineMs`, on the monotonic clock? Rejects if one of them does before. */
export async function inTime(
  clock: Clock,
  deadlineMs: number,
  work: readonly Promise<void>[],
): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<false>((resolve) => {
    timer = clock.setTimer(deadlineMs - clock.nowMs(), () => resolve(false));
  });
  const done = Promise.all(work).then(() => true as const);
  try {
    return await Promise.race([done, late]);
  } finally {
    timer?.cancel();
  }
}
