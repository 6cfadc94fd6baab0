import type { Clock } from '../../rpc/clock.js';

/** One run of a simulated process: what it opened and what it waits for, ended together. */
export class Life {
  readonly #clock: Clock;
  readonly #onEnd = new Set<() => void>();
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves true after `delayMs` (0: at once), false as soon as the life ends. */
  sleep(delayMs: number): Promise<boolean> {
    if (this.#ended || delayMs <= 0) return Promise.resolve(!this.#ended);
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(delayMs, () => {
        this.#onEnd.delete(wake);
        resolve(true);
      });
      const wake = (): void => {
        timer.cancel();
        resolve(false);
      };
      this.#onEnd.add(wake);
    });
  }

  /** Runs `release` when the life ends; at once if it has. */
  own(release: () => void): void {
    if (this.#ended) release();
    else this.#onEnd.add(release);
  }

  /** Gives something up early. */
  release(release: () => void): void {
    if (this.#onEnd.delete(release)) release();
  }

  end(): void {
    this.#ended = true;
    const releases = [...this.#onEnd];
    this.#onEnd.clear();
    for (const release of releases) release();
  }
}
