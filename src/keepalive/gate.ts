import type { Clock } from '../rpc/clock.js';

/** Where some wait for something to have happened, and not for ever. */
export class Gate {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves at the next `open`, or after `limitMs`, or when `signal` is aborted. */
  wait(limitMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(limitMs, () => pass());
      const pass = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', pass);
        this.#waiting.delete(pass);
        resolve();
      };
      this.#waiting.add(pass);
      signal?.addEventListener('abort', pass);
      if (signal?.aborted) pass();
    });
  }

  open(): void {
    for (const pass of [...this.#waiting]) pass();
  }
}
