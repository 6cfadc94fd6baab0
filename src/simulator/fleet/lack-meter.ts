import type { Clock } from '../../rpc/clock.js';

/** Measures how long something was missing: in all, and the longest time at a stretch. */
export class LackMeter {
  readonly #clock: Clock;
  #sinceMs: number | undefined;
  #pastMs = 0;
  #longestPastMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Beginning twice keeps the earlier beginning. */
  begin(): void {
    this.#sinceMs ??= this.#clock.nowMs();
  }

  end(): void {
    const lastedMs = this.#lastingMs();
    this.#pastMs += lastedMs;
    this.#longestPastMs = Math.max(this.#longestPastMs, lastedMs);
    this.#sinceMs = undefined;
  }

  /** Forgets the past; what is missing now is missing from now on. */
  reset(): void {
    const lacking = this.lacking;
    this.end();
    this.#pastMs = 0;
    this.#longestPastMs = 0;
    if (lacking) this.begin();
  }

  get lacking(): boolean {
    return this.#sinceMs !== undefined;
  }

  get totalMs(): number {
    return this.#pastMs + this.#lastingMs();
  }

  get longestMs(): number {
    return Math.max(this.#longestPastMs, this.#lastingMs());
  }

  #lastingMs(): number {
    return this.#sinceMs === undefined ? 0 : this.#clock.nowMs() - this.#sinceMs;
  }
}
