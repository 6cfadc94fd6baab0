import type { LookDepth } from './witness.js';

/**
 * After an opening, ms: the late "inactive" of the stream before lands about 50 ms behind it (measured), but a manager that was frozen or
 * cut off may write it much later.
 */
const AFTER_OPENING_MS = [200, 500, 1_000, 2_000, 5_000, 15_000];

/** Of every wait, so that nodes that came together do not look together. */
const JITTER = 0.2;

/**
 * After an opening, ms: looks past the manager's caches, for what another of its processes has written behind the opening, which those
 * hide for minutes. Two, because v2.5 also remembers a query for 30 s.
 */
const DEEP_AFTER_OPENING_MS = [15_000, 46_000];

/** From then on: what was deleted, swept or edited at the manager is seen after so long, not after the 8.5 minutes of its caches. */
const DEEP_EVERY_MS = 5 * 60_000;

/** How long to wait for the next look at a node whose stream was opened at `openedAtMs`, ms. `random` in [0, 1). */
export function nextLookMs(openedAtMs: number, nowMs: number, reconcileMs: number, random: number): number {
  const usualMs = reconcileMs * (1 - JITTER + 2 * JITTER * random);
  const elapsedMs = nowMs - openedAtMs;
  const soon = AFTER_OPENING_MS.find((afterMs) => afterMs > elapsedMs);
  // Later rather than sooner: not before the manager can have handled the first message.
  return soon === undefined ? usualMs : Math.min(usualMs, soon * (1 + JITTER * random) - elapsedMs);
}

/** How a look now is to be made. `lastDeepAtMs`: of the last one past the caches; undefined: there was none. */
export function depthNow(openedAtMs: number, lastDeepAtMs: number | undefined, nowMs: number): LookDepth {
  const elapsedMs = nowMs - openedAtMs;
  const reached = DEEP_AFTER_OPENING_MS.filter((afterMs) => afterMs <= elapsedMs);
  const last = reached.at(-1);
  if (last === undefined) return 'usual';
  const rounds =
    reached.length < DEEP_AFTER_OPENING_MS.length ? 0 : Math.floor((elapsedMs - last) / DEEP_EVERY_MS);
  const dueAtMs = openedAtMs + last + rounds * DEEP_EVERY_MS;
  return lastDeepAtMs === undefined || lastDeepAtMs < dueAtMs ? 'past-caches' : 'usual';
}
