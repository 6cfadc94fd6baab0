/** While it lasts the rate does not grow beyond what was configured. */
export const RAMP_MS = 10_000;
/** One cut a second: a burst of refusals is one sign. */
const CUT_PAUSE_MS = 1_000;
/** What is added every second, as a share of the configured rate. */
const GROWTH_SHARE = 0.1;
const LOWEST_PER_SECOND = 1;

/** How many calls a second there may be: halved when the manager asks for less, growing evenly otherwise (AIMD). */
export interface Rate {
  perSecond(nowMs: number): number;
  /** The manager asks for less. True if the rate was lowered. */
  cut(nowMs: number): boolean;
}

/** `perSecond` from `sinceMs` on, at most that for `RAMP_MS`, and a tenth of it more with every second after. */
export function createRate(options: { perSecond: number; sinceMs: number }): Rate {
  const { perSecond: configured, sinceMs } = options;
  const rampEndMs = sinceMs + RAMP_MS;
  let limit = configured;
  let atMs = sinceMs;
  let cutAtMs = Number.NEGATIVE_INFINITY;

  const grow = (toMs: number, most: number): void => {
    if (toMs <= atMs) return;
    limit = Math.max(limit, Math.min(most, limit + ((toMs - atMs) / 1000) * configured * GROWTH_SHARE));
    atMs = toMs;
  };
  const perSecond = (nowMs: number): number => {
    grow(Math.min(nowMs, rampEndMs), configured);
    grow(nowMs, Number.POSITIVE_INFINITY);
    return limit;
  };

  return {
    perSecond,
    cut(nowMs) {
      const before = perSecond(nowMs);
      if (nowMs - cutAtMs < CUT_PAUSE_MS) return false;
      cutAtMs = nowMs;
      limit = Math.max(LOWEST_PER_SECOND, before / 2);
      return true;
    },
  };
}
