import type { Clock, Timer } from '../rpc/clock.js';

/** A timer that rings later than this was held up: the process was stopped, or too busy to hear anybody. */
const LATE_MS = 100;
/** Long enough to read what has come meanwhile. */
const HEARING_MS = 500;
/** So often at most: a process that is always too busy must let go in the end. */
const MOST_HEARINGS = 3;

/**
 * As `clock.setTimer`, for judging others by their silence: where it was this process that slept, they are heard first.
 * The timers of a process that wakes up ring before it reads what lies in its sockets.
 */
export function setFairTimer(clock: Clock, delayMs: number, fire: () => void): Timer {
  let timer: Timer | undefined;
  let hearings = 0;
  const arm = (waitMs: number): void => {
    const dueMs = clock.nowMs() + waitMs;
    timer = clock.setTimer(waitMs, () => {
      const isLate = clock.nowMs() - dueMs > LATE_MS;
      if (isLate && hearings++ < MOST_HEARINGS) arm(HEARING_MS);
      else fire();
    });
  };
  arm(delayMs);
  return { cancel: () => timer?.cancel() };
}
