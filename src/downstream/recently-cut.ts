import { LRUCache } from 'lru-cache';
import type { Clock } from '../rpc/clock.js';

/** As a connection that sends what nobody wants is not what an address is known for, this is all that comes of it. */
const LONGEST_MS = 500;
/** Bounded: the address that was cut off longest ago is forgotten. */
const ADDRESSES = 4_096;

/** From where connections have just been cut off. */
export interface RecentlyCut {
  /** One was; the next ones from there are to wait for so long. */
  add(address: string, forMs: number): void;
  /** How long a connection from there has to wait; 0: not at all. */
  waitMs(address: string): number;
}

/**
 * Who is cut off is back at once as a rule, with new allowances, so that cutting alone would only make an attacker go round in
 * circles. Whoever shares his address waits with him, for half a second at the most, if he connects just then; nobody is refused.
 */
export function createRecentlyCut(clock: Clock): RecentlyCut {
  const untilMs = new LRUCache<string, number>({ max: ADDRESSES });
  return {
    add(address, forMs) {
      const nextMs = clock.nowMs() + Math.min(forMs, LONGEST_MS);
      untilMs.set(address, Math.max(nextMs, untilMs.get(address) ?? 0));
    },
    waitMs: (address) => Math.max(0, (untilMs.get(address) ?? 0) - clock.nowMs()),
  };
}
