/** A token bucket: unused allowance is kept for `burstS` seconds, because what clients do in a burst is no attack. */
export interface RateLimit {
  /** False: more than allowed. `perSecond` may change from call to call; 0: any rate will do. `weight`: as how many it counts. */
  take(perSecond: number, nowMs: number, weight?: number): boolean;
}

export function createRateLimit(burstS: number): RateLimit {
  let taken = 0;
  let atMs = Number.NEGATIVE_INFINITY;
  return {
    take(perSecond, nowMs, weight = 1) {
      if (perSecond === 0) return true;
      taken = Math.max(0, taken - Math.max(0, (nowMs - atMs) / 1000) * perSecond);
      atMs = nowMs;
      if (taken + weight > perSecond * burstS) return false;
      taken += weight;
      return true;
    },
  };
}
