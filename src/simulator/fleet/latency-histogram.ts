const SMALLEST_MS = 0.05;
/** Each bucket is 5 % wider than the one before: a quantile is off by no more than that. */
const GROWTH = 1.05;

/** Latencies in buckets of growing width: bounded memory however many calls. */
export class LatencyHistogram {
  readonly #counts: number[] = [];
  #total = 0;

  record(latencyMs: number): void {
    const bucket = Math.max(
      0,
      Math.ceil(Math.log(Math.max(latencyMs, SMALLEST_MS) / SMALLEST_MS) / Math.log(GROWTH)),
    );
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total++;
  }

  /** The upper edge of the bucket that holds `quantile` (0 to 1), ms; 0 when nothing was recorded. */
  quantileMs(quantile: number): number {
    const rank = Math.max(1, Math.ceil(this.#total * quantile));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) return SMALLEST_MS * GROWTH ** bucket;
    }
    return 0;
  }
}
