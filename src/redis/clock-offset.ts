/** Redis said that it was `atUs` there; it was asked at `beforeMs`, and heard at `afterMs`, on the monotonic clock. */
export interface TimeHeard {
  readonly atUs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** What to add to Redis's time, ms, for this process's monotonic clock. */
export interface OffsetBounds {
  readonly lowMs: number;
  readonly highMs: number;
}

export interface ClockOffset {
  learn(heard: TimeHeard): OffsetBounds;
  /** No later than this, µs, was it at Redis at `atMs`; undefined: nothing has been heard of it. */
  latestUs(atMs: number, nowMs: number): number | undefined;
}

/** Two machines' clocks may drift apart by 1 ms in this time (1000 ppm). */
const DRIFT_PER_MS = 0.001;

/**
 * Each exchange gives bounds, as wide as it took; what several agree on is narrower. Bounds that contradict those before are of a clock that
 * was set: they start anew.
 */
export function createClockOffset(): ClockOffset {
  let known: (OffsetBounds & { readonly heardAtMs: number }) | undefined;
  const widened = (nowMs: number): OffsetBounds | undefined => {
    if (known === undefined) return undefined;
    const slackMs = Math.max(0, nowMs - known.heardAtMs) * DRIFT_PER_MS;
    return { lowMs: known.lowMs - slackMs, highMs: known.highMs + slackMs };
  };
  return {
    learn({ atUs, beforeMs, afterMs }) {
      const heard = { lowMs: beforeMs - atUs / 1000, highMs: afterMs - atUs / 1000 };
      const before = widened(afterMs);
      const agrees = before !== undefined && heard.lowMs <= before.highMs && heard.highMs >= before.lowMs;
      const { lowMs, highMs } = heard;
      known = agrees
        ? {
            lowMs: Math.max(lowMs, before.lowMs),
            highMs: Math.min(highMs, before.highMs),
            heardAtMs: afterMs,
          }
        : { lowMs, highMs, heardAtMs: afterMs };
      return known;
    },
    latestUs(atMs, nowMs) {
      const bounds = widened(nowMs);
      return bounds && Math.ceil((atMs - bounds.lowMs) * 1000);
    },
  };
}
