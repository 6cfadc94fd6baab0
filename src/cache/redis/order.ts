import { type Entry, orderOf } from '../entry.js';
import type { AskedAt } from './envelope.js';
import type { Span } from './exchange.js';
import type { LookedUp } from './replies.js';

/** Two machines' clocks drift apart by at most this, ntpd's slewing (500 ppm each) included. */
const DRIFT = 0.001;

/** An answer that lies in Redis, and passed every check. */
export interface Found {
  readonly entry: Entry;
  readonly asked: AskedAt;
}

/** Was it asked for after every write that Redis knows of? */
export function isAfterWrites({ asked }: Found, { writtenUs }: LookedUp): boolean {
  return writtenUs.every((us) => us === undefined || us < asked.earliestUs);
}

/** Redis's clock when this process asked the manager: the look was taken somewhere between two moments of ours. */
export function askedAt(
  askedAtMs: number,
  { atUs, beforeMs, afterMs }: Pick<LookedUp, 'atUs'> & Span,
): AskedAt {
  return {
    earliestUs: Math.floor(atUs + (askedAtMs - afterMs) * 1000),
    latestUs: Math.ceil(atUs + (askedAtMs - beforeMs) * 1000),
  };
}

/** Was it asked for after memory's? Where that cannot be told, memory's stays. */
export function certainlyLater(
  { entry, asked }: Found,
  last: Entry | undefined,
  lastAsked: AskedAt | undefined,
  nowMs: number,
): boolean {
  if (last === undefined) return true;
  if (lastAsked !== undefined && last.held === undefined) return asked.earliestUs > lastAsked.latestUs;
  return entry.askedAtMs - Math.max(0, nowMs - entry.askedAtMs) * DRIFT > orderOf(last);
}

/** What has lain in Redis is replaced there by what was asked for later only: its successor need not prove it again. */
export function inRedis({ earliestUs }: AskedAt): AskedAt {
  return { earliestUs, latestUs: earliestUs };
}
