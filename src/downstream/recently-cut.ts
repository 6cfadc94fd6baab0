import { LRUCache } from 'lru-cache';
import type { Clock } from '../rpc/clock.js';

/** As a connection that sends what nobody wants is not what an address is known for, this is all that comes of it, … */
const LONGEST_MS = 500;
/** … unless many come at once: then one after the other, … */
const APART_MS = 25;
/** … and those that would have to wait for longer together. */
const LONGEST_LINE_MS = 1_000;
/** Bounded: the address that was cut off longest ago is forgotten. */
const ADDRESSES = 4_096;

/** From where connections have just been cut off. */
export interface RecentlyCut {
  /** One was; the next ones from there are to wait for so long, and longer if it was not the only one. */
  add(address: string, forMs: number): void;
  /** A connection has come from there: how long it is to wait; 0: not at all. */
  waitMs(address: string): number;
}

/**
 * Who is cut off is back at once as a rule, with new allowances, so that cutting alone would only make an attacker go round in
 * circles. Whoever shares his address waits with him, if he connects just then; nobody is refused.
 */
export function createRecentlyCut(clock: Clock): RecentlyCut {
  const untilMs = new LRUCache<string, number>({ max: ADDRESSES });
  return {
    add(address, forMs) {
      const nowMs = clock.nowMs();
      const sinceMs = Math.max(nowMs, untilMs.get(address) ?? 0);
      const cappedMs = Math.max(sinceMs, Math.min(sinceMs + forMs, nowMs + LONGEST_MS));
      if (cappedMs > nowMs) untilMs.set(address, cappedMs);
    },
    waitMs(address) {
      const nowMs = clock.nowMs();
      const ownMs = untilMs.get(address) ?? 0;
      if (ownMs <= nowMs) return 0;
      untilMs.set(address, Math.min(ownMs + APART_MS, nowMs + LONGEST_LINE_MS));
      return ownMs - nowMs;
    },
  };
}
