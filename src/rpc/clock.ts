/** A timer that somebody owns; `cancel` twice is harmless. */
export interface Timer {
  cancel(): void;
}

/** Time, injected: tests own it. */
export interface Clock {
  /** Monotonic, ms, with fractions; for ages, deadlines and order inside this process. */
  nowMs(): number;
  /** Unix time, ms; for people to read only. */
  wallMs(): number;
  /** Runs `fire` once after `delayMs`. Does not keep the process alive. */
  setTimer(delayMs: number, fire: () => void): Timer;
}

/** setTimeout fires at once for delays above 2^31-1 ms; a longer wait is cut to that. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(delayMs, fire) {
    const timer = setTimeout(fire, Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
