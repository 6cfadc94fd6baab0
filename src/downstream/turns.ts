/** Who waits for a turn of the event loop. */
export interface Waiting {
  /** Does one piece of work; true: there is more. */
  work(): boolean;
}

export interface TurnsOptions {
  readonly nowMs: () => number;
  /** Runs `next` when what has come until now has been read; `setImmediate`, unless a test says otherwise. */
  readonly schedule?: (next: () => void) => void;
}

/** A turn that takes longer has taken on too much of what could wait, … */
const LONG_MS = 6;
/** … and one that is shorter could have taken more. */
const SHORT_MS = 3;
const MOST_PIECES = 256;
const PIECES_AT_FIRST = 32;

/**
 * The event loop, shared out: what one connection wants beyond its share of a turn waits here, and connections are served one
 * after the other, a piece of work each, as many pieces in a turn as keep turns short. What a piece costs shows only afterwards
 * (most of it is done in promises, or as the next bytes are read), so the length of turns says how many they may be.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #schedule: (next: () => void) => void;
  readonly #waiting = new Set<Waiting>();
  readonly #alone: (() => void)[] = [];
  #number = 0;
  #scheduled = false;
  #sinceMs = 0;
  #tookMs = 0;
  #pieces = PIECES_AT_FIRST;

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#schedule = options.schedule ?? setImmediate;
  }

  /** Which turn it is. */
  get now(): number {
    if (!this.#scheduled) this.#await();
    return this.#number;
  }

  /** Was the last one so long that whoever wants more than one thing in this one should wait? */
  get isLong(): boolean {
    return this.#tookMs > LONG_MS;
  }

  /** Served when its turn comes; once it is waiting it need not ask again. */
  wait(waiting: Waiting): void {
    this.#waiting.add(waiting);
    if (!this.#scheduled) this.#await();
  }

  /** For what takes long and cannot be divided: one of them in a turn, in order. */
  alone(act: () => void): void {
    this.#alone.push(act);
    if (!this.#scheduled) this.#await();
  }

  leave(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  #await(): void {
    this.#scheduled = true;
    this.#sinceMs = this.#options.nowMs();
    this.#schedule(() => this.#next());
  }

  #next(): void {
    this.#scheduled = false;
    this.#number += 1;
    this.#tookMs = this.#options.nowMs() - this.#sinceMs;
    this.#alone.shift()?.();
    if (this.#waiting.size > 0) this.#serve();
    if (this.#waiting.size + this.#alone.length > 0 && !this.#scheduled) this.#await();
  }

  #serve(): void {
    if (this.isLong) this.#pieces = Math.max(1, this.#pieces >> 1);
    else if (this.#tookMs < SHORT_MS) this.#pieces = Math.min(MOST_PIECES, this.#pieces * 2);
    let left = this.#pieces;
    // Of some pieces the whole cost shows at once: a connection that is opened or cut takes as long as dozens of calls.
    const untilMs = this.#options.nowMs() + LONG_MS;
    for (const waiting of this.#waiting) {
      if (left === 0 || this.#options.nowMs() > untilMs) return;
      left -= 1;
      // Who comes again goes to the end of the line, which this loop reaches, too.
      this.#waiting.delete(waiting);
      if (waiting.work()) this.#waiting.add(waiting);
    }
  }
}
