import type { Clock } from '../../rpc/clock.js';
import type { Claim } from './claim.js';
import type { ClaimTiming } from './timing.js';

/**
 * May what Redis said be believed still? Others take a node from a replica that says nothing for `patienceMs`, or whose lease has lapsed;
 * one that was frozen for that long finds itself out of date by its own clock, before it has asked anybody.
 */
export class Belief {
  readonly #timing: ClaimTiming;
  readonly #clock: Clock;
  #redis: 'not-tried' | 'away' | 'well' = 'not-tried';
  /** What was said of it last. */
  #said: 'nothing' | 'away' | 'well' = 'nothing';
  #confirmedAtMs = Number.NEGATIVE_INFINITY;
  #wellSinceMs = Number.POSITIVE_INFINITY;

  constructor(timing: ClaimTiming, clock: Clock) {
    this.#timing = timing;
    this.#clock = clock;
  }

  get away(): boolean {
    return this.#redis !== 'well';
  }

  /** Redis could not. Returns whether that is news: one that goes again before all was told to it has not been back. */
  lost(): boolean {
    const news = this.#said !== 'away';
    this.#redis = 'away';
    this.#said = 'away';
    return news;
  }

  /** Everything was told to it, and is shared again. Returns whether that is news. */
  shared(): boolean {
    const news = !this.away && this.#said !== 'well';
    if (news) this.#said = 'well';
    return news;
  }

  returned(): void {
    this.#redis = 'well';
    this.#wellSinceMs = this.#clock.nowMs();
  }

  /** How long nothing was heard, ms. */
  get silenceMs(): number {
    return this.#clock.nowMs() - this.#confirmedAtMs;
  }

  /** So long that what was ours may be another's: it is to be renewed before anything is believed. */
  get isDoubtful(): boolean {
    return this.silenceMs > this.#timing.beliefMs;
  }

  /** Asked at `sentAtMs`, Redis knew of nothing against it. */
  confirm(sentAtMs: number): void {
    // What went by unheard may be a whole life of others' claims.
    if (this.silenceMs > this.#timing.leaseMs) this.#wellSinceMs = this.#clock.nowMs();
    this.#confirmedAtMs = sentAtMs;
  }

  /** Is this claim ours, by all we know? While Redis is away every replica is on its own, and believes in itself. */
  holds(claim: Claim | undefined): boolean {
    if (claim?.kind !== 'held') return false;
    const confirmedAtMs = Math.max(this.#confirmedAtMs, claim.confirmedAtMs);
    return this.away || this.#clock.nowMs() - confirmedAtMs <= this.#timing.beliefMs;
  }

  /**
   * May nodes of the dead be taken over? Not before everybody who lives has had time to renew: after Redis was away all leases have
   * lapsed.
   */
  get mayAdopt(): boolean {
    return !this.away && this.#clock.nowMs() - this.#wellSinceMs >= this.#timing.leaseMs;
  }
}
