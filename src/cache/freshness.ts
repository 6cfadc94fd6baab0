import type { Config } from '../config/config.js';
import { Code } from '../rpc/status.js';
import { ageMs, type Entry } from './entry.js';
import type { Voids } from './voids.js';

/**
 * What may be done with an entry.
 * `fresh`: answer. `held`: answer, known to be poorer at the manager now. `revalidate`: answer, and ask behind
 * (stale-while-revalidate). `ask`: ask first, and answer with it only when the manager does not.
 * `dead`: older than `cache.maxStale`, no longer an answer.
 */
export type Freshness = 'fresh' | 'held' | 'revalidate' | 'ask' | 'dead';

/** The limits that decide, ms. */
export type FreshnessLimits = Pick<Config['cache'], 'methods' | 'negativeTtlMs' | 'maxStaleMs'>;

export function freshnessOf(entry: Entry, limits: FreshnessLimits, voids: Voids, nowMs: number): Freshness {
  if (ageMs(entry, nowMs) > limits.maxStaleMs) return 'dead';
  if (voids.isVoid(entry.question.tags, entry.checkedAtMs)) return 'ask';
  // The manager does not remember an empty list either, and a daemon that is told "none" at its start exits.
  if (entry.empty) return 'ask';
  const ttlMs = ttlOf(entry, limits);
  const sinceCheckMs = nowMs - entry.checkedAtMs;
  if (sinceCheckMs < ttlMs) return entry.held === undefined ? 'fresh' : 'held';
  return sinceCheckMs < ttlMs + limits.methods[entry.question.method].swrMs ? 'revalidate' : 'ask';
}

function ttlOf(entry: Entry, limits: FreshnessLimits): number {
  if (entry.reply.status.code !== Code.OK) return limits.negativeTtlMs;
  const method = limits.methods[entry.question.method];
  return entry.question.audience === 'own' ? method.exactTtlMs : method.ttlMs;
}
