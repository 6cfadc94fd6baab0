import { scaledSettings } from '../../support/shield-world.js';

/** How much faster than life nodes and gateways live: a beat a second, 5 s of grace, a lease of 3 s. */
export const TIME_FACTOR = 5;
export const BEAT_MS = 5_000 / TIME_FACTOR;
export const GRACE_MS = 25_000 / TIME_FACTOR;
export const LEASE_MS = 15_000 / TIME_FACTOR;
/** The managers' own caches pass this much faster: 9 s in the process, 15 s in their Redis, 1.5 s of queries. */
export const MANAGER_TIME_FACTOR = 20;

/** Shorter than the longest faults, or nobody would be given too old an answer. */
export const MAX_STALE_MS = 8_000;
export const EMPTY_HOLD_MS = 4_000;

export const REPLICAS = 3;
export const MANAGERS = 2;
export const CALLERS = Number(process.env.CALLERS ?? 300);
export const NODES = 40;
/** Of one caller; a third of it up or down by chance. */
export const CALL_INTERVAL_MS = 3_000;
/** Of one who asks seldom: longer than `MAX_STALE_MS`. */
export const SELDOM_INTERVAL_MS = 12_000;
export const CALL_DEADLINE_MS = 4_000;

/** A round: faults, then time to recover, then nodes end while all is well, and are looked at. */
export const FAULTS_MS = 10_000;
export const RECOVERY_MS = 10_000;
export const WATCH_MS = 9_000;

const SCALED = new Map(scaledSettings(TIME_FACTOR).map((set) => [set.slice(0, set.indexOf('=')), set]));

/** What every replica is told, its own addresses aside. Ratios are those of the defaults, where a walk of minutes can wait for them. */
export function gatewaySettings(): string[] {
  const ttls = (method: string, ttlMs: number): string[] => [
    `cache.methods.${method}.ttl=${ttlMs}ms`,
    `cache.methods.${method}.swr=2s`,
  ];
  return [
    ...SCALED.values(),
    'fleet.id=walk',
    `cache.maxStale=${MAX_STALE_MS}ms`,
    `cache.emptyHold=${EMPTY_HOLD_MS}ms`,
    'cache.negativeTtl=2s',
    ...['ListSchedulers', 'GetScheduler', 'GetSeedPeer'].flatMap((method) => ttls(method, 2_000)),
    ...['ListApplications', 'ListSeedPeers'].flatMap((method) => ttls(method, 4_000)),
    'cache.methods.ListSchedulers.exactTtl=3s',
    'snapshot.interval=2s',
    'breaker.window=2s',
    'breaker.resetTimeout=1s',
    'server.ping.interval=6s',
    'server.ping.timeout=2s',
    // Long for one machine that does all of this at once.
    'redis.timeout=500ms',
    'admin.enable=false',
  ];
}
