import { defaultConfig } from '../../../src/config/defaults.js';
import { scaledSettings } from '../shield-world.js';

/** Eight hours in twenty minutes; what troubles take beyond their hour comes on top. */
export const TIME_FACTOR = 24;
export const HOUR_MS = 3_600_000 / TIME_FACTOR;
/**
 * Of callers that ask now and then, each over and over in the course of a day, as the hosts of a fleet do. With more than 65,536 of them all
 * that is kept by name is full, and takes 135 MiB.
 */
export const NAMES = Number(process.env.NAMES ?? 4_000);
/** Small, so that it is full before the day begins, and what is remembered beyond it is a leak. */
const CACHE_MIB = 4;

/** The gateway's defaults with every duration over the time factor; what is held against how fast a machine is stays as it is. */
export function daySettings(): string[] {
  const { cache, breaker, snapshot, server } = defaultConfig();
  const over = (realMs: number): string => `${Math.max(1, Math.round(realMs / TIME_FACTOR))}ms`;
  return [
    ...scaledSettings(TIME_FACTOR),
    ...Object.entries(cache.methods).flatMap(([method, { ttlMs, swrMs, exactTtlMs }]) => [
      `cache.methods.${method}.ttl=${over(ttlMs)}`,
      `cache.methods.${method}.swr=${over(swrMs)}`,
      `cache.methods.${method}.exactTtl=${over(exactTtlMs)}`,
    ]),
    `cache.negativeTtl=${over(cache.negativeTtlMs)}`,
    `cache.emptyHold=${over(cache.emptyHoldMs)}`,
    `cache.maxStale=${over(cache.maxStaleMs)}`,
    `cache.maxBytes=${CACHE_MIB * 1024 * 1024}`,
    `breaker.window=${over(breaker.windowMs)}`,
    `breaker.resetTimeout=${over(breaker.resetTimeoutMs)}`,
    `snapshot.interval=${over(snapshot.intervalMs)}`,
    `server.limits.idleTimeout=${over(server.limits.idleTimeoutMs)}`,
    'server.limits.asksPerSecond=0',
    'redis.timeout=2s',
  ];
}
