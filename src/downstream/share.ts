import type { Clock, Timer } from '../rpc/clock.js';
import type { Reading } from './reading.js';
import type { Turns, Waiting } from './turns.js';

/** Calls that one connection begins in the turn in which they come, as long as turns are short; more wait. Of a daemon there are one or two at a time. */
const CALLS_PER_TURN = 16;
/** Frames of one connection that are dealt with in one turn before it is read no further for now. */
const FRAMES_PER_TURN = 128;
/** How long a peer that takes nothing is left before it is looked at whether it may be read again. */
const RETRY_MS = 20;

/** Begins a call that had to wait. False: it has gone, and has cost nothing. */
export type Begin = () => boolean;

export interface ShareOptions {
  readonly turns: Turns;
  readonly reading: Reading;
  /** It comes from where one has just been cut off: of its calls none goes before those of others. */
  readonly afterCut: boolean;
  readonly clock: Clock;
}

/** What one connection gets of each turn of the event loop. */
export class Share implements Waiting {
  readonly #turns: Turns;
  readonly #reading: Reading;
  readonly #clock: Clock;
  readonly #callsPerTurn: number;
  /** Calls that wait, oldest first. */
  #late: Begin[] = [];
  #at = 0;
  #turn = -1;
  #frames = 0;
  #calls = 0;
  /** Its socket is not read. */
  #stopped = false;
  #timer: Timer | undefined;
  #ended = false;

  constructor({ turns, reading, afterCut, clock }: ShareOptions) {
    this.#turns = turns;
    this.#reading = reading;
    this.#clock = clock;
    this.#callsPerTurn = afterCut ? 1 : CALLS_PER_TURN;
  }

  /** Calls that have come and wait. */
  get waiting(): number {
    return this.#late.length - this.#at;
  }

  /** A frame has come that costs something. */
  frame(): void {
    const turn = this.#turns.now;
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#frames = 0;
      this.#calls = 0;
    }
    this.#frames += 1;
    if (this.#frames > FRAMES_PER_TURN) this.#stopReading();
  }

  /** A call has come. True: it may begin; false: it has to wait, by `later`. */
  take(): boolean {
    this.frame();
    this.#calls += 1;
    const most = this.#turns.isLong ? 1 : this.#callsPerTurn;
    return this.#calls <= most && this.#late.length === 0;
  }

  later(begin: Begin): void {
    if (this.#ended) return;
    this.#late.push(begin);
    this.#turns.wait(this);
  }

  work(): boolean {
    if (this.#beginOne()) return this.waiting > 0 || this.#stopped;
    if (this.#stopped && !this.#ended) this.#startReading();
    return false;
  }

  /** False: there was none that is still wanted. */
  #beginOne(): boolean {
    for (;;) {
      const begin = this.#late[this.#at];
      if (begin === undefined) return false;
      this.#at += 1;
      if (this.#at === this.#late.length) {
        this.#late = [];
        this.#at = 0;
      }
      if (begin()) return true;
    }
  }

  /** Reads no more, for good, and forgets what waits. */
  end(): void {
    this.#ended = true;
    this.#late = [];
    this.#at = 0;
    this.#reading.stop();
    this.#turns.leave(this);
    this.#timer?.cancel();
  }

  #startReading(): void {
    this.#stopped = !this.#reading.start();
    if (this.#stopped) this.#timer = this.#clock.setTimer(RETRY_MS, () => this.#turns.wait(this));
  }

  #stopReading(): void {
    if (this.#stopped || this.#ended) return;
    this.#stopped = true;
    this.#reading.stop();
    this.#turns.wait(this);
  }
}
