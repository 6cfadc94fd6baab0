import type { Clock, Timer } from '../rpc/clock.js';
import { USUAL_INTERVAL_MS } from './beats.js';
import type { Below } from './below.js';
import { setFairTimer } from './fair-timer.js';

/** Missed so many of its own beats, a node is let go. */
const MISSED_BEATS = 3;

/**
 * `live`: a stream is attached and beats; `silent`: attached, and it has missed its beats; `grace`: its connection was lost, and it may
 * come back until then; `gone`.
 */
export type PresenceState = 'live' | 'silent' | 'grace' | 'gone';

export interface PresenceOptions {
  readonly graceMs: number;
  /** As far as it is known from before. */
  readonly intervalMs: number | undefined;
  readonly clock: Clock;
  /** It beats after a silence. */
  readonly awoke: () => void;
  readonly fellSilent: () => void;
  /** The grace is over. */
  readonly lost: () => void;
}

/** Is the node there? Its streams at this gateway, in any number and order, and what they say of it. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #streams = new Set<Below>();
  #state: PresenceState = 'gone';
  #timer: Timer | undefined;
  #ringsAtMs = 0;
  #lastBeatAtMs: number | undefined;
  #knownIntervalMs: number | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#knownIntervalMs = options.intervalMs;
  }

  get state(): PresenceState {
    return this.#state;
  }

  get alive(): boolean {
    return this.#state === 'live' || this.#state === 'grace';
  }

  get streams(): readonly Below[] {
    return [...this.#streams];
  }

  get count(): number {
    return this.#streams.size;
  }

  get lastBeatAtMs(): number | undefined {
    return this.#lastBeatAtMs;
  }

  /** The node's own interval, ms: of the slowest of its streams; undefined: not known yet. */
  get intervalMs(): number | undefined {
    let slowestMs: number | undefined;
    for (const { beats } of this.#streams) {
      const { intervalMs } = beats;
      if (intervalMs !== undefined) slowestMs = Math.max(slowestMs ?? 0, intervalMs);
    }
    return slowestMs ?? this.#knownIntervalMs;
  }

  attach(stream: Below): void {
    this.#streams.add(stream);
    this.#beaten();
  }

  /** Somebody was there, at another replica; here nobody is yet, or a stream that says nothing. */
  expect(moreMs: number): void {
    this.#waitFor(this.#options.graceMs + moreMs);
  }

  beat(stream: Below): void {
    if (!this.#streams.has(stream)) return;
    const wasSilent = this.#state === 'silent';
    stream.beats.note(this.#options.clock.nowMs());
    this.#beaten();
    if (wasSilent) this.#options.awoke();
  }

  /** Returns whether it was the last one. `lost`: with its connection, so that it may come back. */
  detach(stream: Below, how: 'left' | 'lost'): boolean {
    this.#knownIntervalMs = this.intervalMs;
    if (!this.#streams.delete(stream) || this.#streams.size > 0) return false;
    // Expected from another replica, it is so still.
    if (how === 'lost' && this.#state === 'grace') return true;
    // Let go already: there is nothing to keep for it.
    if (how === 'lost' && this.#state === 'live') this.#waitFor(this.#graceMs());
    else this.leave();
    return true;
  }

  /** Nothing is expected of it any more; what is attached still is silent until it beats. */
  leave(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#state = this.#streams.size > 0 ? 'silent' : 'gone';
  }

  /** A timer per silence, not per beat: it looks when it rings. Only one that would ring too late is set anew. */
  #beaten(): void {
    const nowMs = this.#options.clock.nowMs();
    const patienceMs = this.#patienceMs();
    this.#lastBeatAtMs = nowMs;
    if (this.#state === 'live' && this.#ringsAtMs <= nowMs + patienceMs) return;
    this.#state = 'live';
    this.#listen(patienceMs);
  }

  #listen(delayMs: number): void {
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#ringsAtMs = clock.nowMs() + delayMs;
    this.#timer = setFairTimer(clock, delayMs, () => {
      const silentMs = clock.nowMs() - (this.#lastBeatAtMs ?? 0);
      const leftMs = this.#patienceMs() - silentMs;
      if (leftMs > 0) this.#listen(leftMs);
      else this.#fallSilent();
    });
  }

  #fallSilent(): void {
    this.#timer = undefined;
    this.#state = 'silent';
    this.#options.fellSilent();
  }

  #waitFor(delayMs: number): void {
    this.#timer?.cancel();
    this.#state = 'grace';
    this.#timer = setFairTimer(this.#options.clock, delayMs, () => {
      this.leave();
      this.#options.lost();
    });
  }

  /** A stream that has not shown its pace is given the usual one: a short one from before may be that of another process. */
  #patienceMs(): number {
    let slowestMs = 0;
    for (const { beats } of this.#streams) {
      const guessMs = Math.max(USUAL_INTERVAL_MS, this.#knownIntervalMs ?? 0, beats.longestGapMs);
      slowestMs = Math.max(slowestMs, beats.intervalMs ?? guessMs);
    }
    return MISSED_BEATS * slowestMs;
  }

  /**
   * From the loss on; but a connection that was only found to be dead, by a ping, has been so for longer: no node is kept for more than
   * the longer of the grace and three beats behind the beat that would have come next.
   */
  #graceMs(): number {
    const { clock, graceMs } = this.#options;
    const intervalMs = this.intervalMs ?? USUAL_INTERVAL_MS;
    const sinceBeatMs = clock.nowMs() - (this.#lastBeatAtMs ?? clock.nowMs());
    return Math.min(graceMs, intervalMs + Math.max(graceMs, MISSED_BEATS * intervalMs) - sinceBeatMs);
  }
}
