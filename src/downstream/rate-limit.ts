/** A token bucket: unused allowance is kept for `burstS` seconds, because what clients do in a burst is no attack. */
export interface RateLimit {
  /** False: more than allowed. `perSecond` may change from call to call; 0: any rate will do. */
  take(perSecond: number, nowMs: number): boolean;
}

export function createRateLimit(burstS: number): RateLimit {
  let taken = 0;
  let atMs = Number.NEGATIVE_INFINITY;
  return {
    take(perSecond, nowMs) {
      if (perSecond === 0) return true;
      taken = Math.max(0, taken - Math.max(0, (nowMs - atMs) / 1000) * perSecond);
      atMs = nowMs;
      if (taken + 1 > perSecond * burstS) return false;
      taken += 1;
      return true;
    },
  };
}
