import { type Clock, systemClock, type Timer } from '../../src/rpc/clock.js';

/**
 * A clock of its own whose process can be frozen: time goes on, and what is due meanwhile happens after it, timers first, as in a
 * process that is continued.
 */
export class FrozenClock implements Clock {
  readonly #originMs: number;
  #late: (() => void)[] | undefined;

  constructor(originMs = 0) {
    this.#originMs = originMs;
  }

  nowMs(): number {
    return systemClock.nowMs() + this.#originMs;
  }
  wallMs(): number {
    return systemClock.wallMs() + this.#originMs;
  }
  setTimer(delayMs: number, fire: () => void): Timer {
    let cancelled = false;
    const timer = systemClock.setTimer(delayMs, () =>
      this.run(() => {
        if (!cancelled) fire();
      }),
    );
    return {
      cancel() {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  get frozen(): boolean {
    return this.#late !== undefined;
  }
  freeze(): void {
    this.#late ??= [];
  }
  thaw(): void {
    const late = this.#late ?? [];
    this.#late = undefined;
    for (const fire of late) fire();
  }
  /** Now, or when it is thawed. */
  run(what: () => void): void {
    if (this.#late === undefined) what();
    else this.#late.push(what);
  }
}
