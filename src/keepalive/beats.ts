/** How far apart Dragonfly's own components beat, until a stream has shown its own pace. */
export const USUAL_INTERVAL_MS = 5_000;
const SHORTEST_INTERVAL_MS = 100;
const LONGEST_INTERVAL_MS = 60_000;
/** Messages this close are one beat: what was held up on the way comes in a bunch. */
const BUNCH_MS = 50;
const GAPS_KEPT = 5;
/** From so many on they are believed, longer or shorter than usual. */
const GAPS_BELIEVED = 3;

/** The beats of one stream, and how far apart they are. */
export class Beats {
  readonly #gapsMs: number[] = [];
  #lastAtMs: number;

  /** `nowMs`: of the first message, which is a beat. */
  constructor(nowMs: number) {
    this.#lastAtMs = nowMs;
  }

  note(nowMs: number): void {
    const gapMs = nowMs - this.#lastAtMs;
    this.#lastAtMs = nowMs;
    if (gapMs < BUNCH_MS) return;
    this.#gapsMs.push(gapMs);
    if (this.#gapsMs.length > GAPS_KEPT) this.#gapsMs.shift();
  }

  /**
   * Its own interval, ms; undefined: it has not shown enough. The second largest of the last few, so that neither a pause nor an
   * early beat changes it.
   */
  get intervalMs(): number | undefined {
    if (this.#gapsMs.length < GAPS_BELIEVED) return undefined;
    const [, second = USUAL_INTERVAL_MS] = [...this.#gapsMs].sort((a, b) => b - a);
    return Math.min(Math.max(second, SHORTEST_INTERVAL_MS), LONGEST_INTERVAL_MS);
  }

  /** The longest wait that was seen; 0: none yet. For who has to judge before the interval is known. */
  get longestGapMs(): number {
    return Math.min(Math.max(0, ...this.#gapsMs), LONGEST_INTERVAL_MS);
  }
}
