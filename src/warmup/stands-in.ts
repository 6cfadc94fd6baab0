import type { Entry } from '../cache/entry.js';
import { type FreshnessLimits, freshnessOf } from '../cache/freshness.js';
import type { Voids } from '../cache/voids.js';

/**
 * May this be given in place of a new answer while a manager is being caught up with? An empty list may not: a daemon that
 * is told "none" at its start exits. Nor may a node's own row from before it registered: it would not find itself.
 */
export function standsIn(
  entry: Entry | undefined,
  limits: FreshnessLimits,
  voids: Voids,
  nowMs: number,
): boolean {
  if (entry === undefined || entry.empty || freshnessOf(entry, limits, voids, nowMs) === 'dead') return false;
  const ownRow = entry.question.method === 'GetScheduler' || entry.question.method === 'GetSeedPeer';
  return !ownRow || !voids.isVoid(entry.question.tags, entry.checkedAtMs);
}
