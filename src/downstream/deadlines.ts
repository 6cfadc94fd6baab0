import type { Clock, Timer } from '../rpc/clock.js';

export interface Expiring {
  readonly deadlineMs: number | undefined;
  expire(): void;
}

/** Deadlines fall due up to this much late. Callers watch their own; ours only has to clear up behind them. */
const GRAIN_MS = 32;

interface Bucket {
  readonly members: Set<Expiring>;
  readonly timer: Timer;
}

/**
 * Deadlines of all calls on few timers: one per 32 ms in which anything is due, instead of one per call, most of
 * which would be cancelled a millisecond later.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #buckets = new Map<number, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(member: Expiring): void {
    if (member.deadlineMs === undefined) return;
    const slot = Math.ceil(member.deadlineMs / GRAIN_MS);
    let bucket = this.#buckets.get(slot);
    if (!bucket) {
      const timer = this.#clock.setTimer(slot * GRAIN_MS - this.#clock.nowMs(), () => this.#fire(slot));
      bucket = { members: new Set(), timer };
      this.#buckets.set(slot, bucket);
    }
    bucket.members.add(member);
  }

  delete(member: Expiring): void {
    if (member.deadlineMs === undefined) return;
    const slot = Math.ceil(member.deadlineMs / GRAIN_MS);
    const bucket = this.#buckets.get(slot);
    if (!bucket?.members.delete(member) || bucket.members.size > 0) return;
    bucket.timer.cancel();
    this.#buckets.delete(slot);
  }

  #fire(slot: number): void {
    const bucket = this.#buckets.get(slot);
    if (!bucket) return;
    // systemClock cuts very long delays; such a timer fires early.
    this.#buckets.delete(slot);
    const early = slot * GRAIN_MS - this.#clock.nowMs() > GRAIN_MS;
    for (const member of bucket.members) {
      if (early) this.add(member);
      else member.expire();
    }
  }
}
