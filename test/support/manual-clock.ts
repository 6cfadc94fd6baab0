import type { Clock, Timer } from '../../src/rpc/clock.js';

interface Waiting {
  readonly atMs: number;
  /** Timers of the same moment fire in the order in which they were set. */
  readonly order: number;
  readonly fire: () => void;
}

const START_WALL_MS = Date.UTC(2026, 0, 1);

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  readonly #waiting = new Set<Waiting>();
  #nowMs: number;
  #wallOffsetMs: number;
  #order = 0;

  /** `startMs` is not 0, so that code which takes 0 for "never" is found out. */
  constructor(startMs = 1_000) {
    this.#nowMs = startMs;
    this.#wallOffsetMs = START_WALL_MS - startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const waiting: Waiting = { atMs: this.#nowMs + Math.max(delayMs, 0), order: this.#order++, fire };
    this.#waiting.add(waiting);
    return { cancel: () => void this.#waiting.delete(waiting) };
  }

  /** Timers that are set and have not fired. */
  get pendingTimers(): number {
    return this.#waiting.size;
  }

  /** When the next timer fires, from now, ms; undefined: none is set. */
  get nextTimerInMs(): number | undefined {
    const next = this.#next();
    return next && next.atMs - this.#nowMs;
  }

  /** Moves time on by `ms` and fires what is due on the way, in order, timers set meanwhile included. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let next = this.#next(); next && next.atMs <= endMs; next = this.#next()) this.#fire(next);
    this.#nowMs = endMs;
  }

  /** As `advance`, and after each timer lets promises and pending I/O callbacks run before the next one. */
  async advanceAsync(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settled();
    for (let next = this.#next(); next && next.atMs <= endMs; next = this.#next()) {
      this.#fire(next);
      await settled();
    }
    this.#nowMs = endMs;
    await settled();
  }

  /** An operator or NTP sets the wall clock; the monotonic one does not notice. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  #fire(timer: Waiting): void {
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
    this.#waiting.delete(timer);
    timer.fire();
  }

  #next(): Waiting | undefined {
    let next: Waiting | undefined;
    for (const timer of this.#waiting) {
      const earlier =
        !next || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order);
      if (earlier) next = timer;
    }
    return next;
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
