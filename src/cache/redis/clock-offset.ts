import type { Span } from './exchange.js';

/** Two machines' clocks may drift apart by 1 ms in this time (1000 ppm). */
const DRIFT_PER_MS = 0.001;

/**
 * What to add to Redis's time, ms, for this process's monotonic clock, at the most. Each exchange gives bounds, as wide as it took;
 * what several agree on is narrower. Bounds that contradict those before are of a clock that was set: they start anew.
 */
export function createClockOffset(): { learn(at: Span & { readonly atUs: number }): number } {
  let known: { low: number; high: number; atMs: number } | undefined;
  return {
    learn({ atUs, beforeMs, afterMs }) {
      const [low, high] = [beforeMs - atUs / 1000, afterMs - atUs / 1000];
      const slack = known === undefined ? 0 : (afterMs - known.atMs) * DRIFT_PER_MS;
      const agrees = known !== undefined && low <= known.high + slack && high >= known.low - slack;
      known =
        known !== undefined && agrees
          ? { low: Math.max(low, known.low - slack), high: Math.min(high, known.high + slack), atMs: afterMs }
          : { low, high, atMs: afterMs };
      return known.high;
    },
  };
}
