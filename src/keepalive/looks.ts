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

/**
 * After the return of a manager, ms: one that was frozen writes the end of the stream before this one now, and nobody is told. Past the
 * caches where another manager has the stream by now; the last one, because v2.5 also remembers a query for 30 s.
 */
const AFTER_RETURN_MS = [200, 700, 3_000, 35_000];

/** From when on the looks at a node are counted. */
export interface LookedFrom {
  readonly openedAtMs: number;
  /** When a manager was back that had not answered; undefined: none was since the opening. */
  readonly returnedAtMs: number | undefined;
  /** The same, where it is another manager than the stream's. */
  readonly otherReturnedAtMs: number | undefined;
}

/** How long to wait for the next look at a node, ms. `random` in [0, 1). */
export function nextLookMs(from: LookedFrom, nowMs: number, reconcileMs: number, random: number): number {
  const usualMs = reconcileMs * (1 - JITTER + 2 * JITTER * random);
  const soon = [
    soonMs(AFTER_OPENING_MS, from.openedAtMs, nowMs, random),
    soonMs(AFTER_RETURN_MS, from.returnedAtMs, nowMs, random),
  ];
  return Math.min(usualMs, ...soon);
}

/** Later rather than sooner: not before the manager can have handled what the look is about. */
function soonMs(
  schedule: readonly number[],
  sinceMs: number | undefined,
  nowMs: number,
  random: number,
): number {
  if (sinceMs === undefined) return Number.POSITIVE_INFINITY;
  const elapsedMs = nowMs - sinceMs;
  const next = schedule.find((afterMs) => afterMs > elapsedMs);
  return next === undefined ? Number.POSITIVE_INFINITY : next * (1 + JITTER * random) - elapsedMs;
}

/** How a look now is to be made. `lastDeepAtMs`: of the last one past the caches; undefined: there was none. */
export function depthNow(from: LookedFrom, lastDeepAtMs: number | undefined, nowMs: number): LookDepth {
  const dueAtMs = Math.max(
    deepAfterOpening(from.openedAtMs, nowMs),
    deepAfterReturn(from.otherReturnedAtMs, nowMs),
  );
  return (lastDeepAtMs ?? Number.NEGATIVE_INFINITY) < dueAtMs ? 'past-caches' : 'usual';
}

/** When the last one was due, monotonic ms; -Infinity: none yet. */
function deepAfterOpening(openedAtMs: number, nowMs: number): number {
  const elapsedMs = nowMs - openedAtMs;
  const reached = DEEP_AFTER_OPENING_MS.filter((afterMs) => afterMs <= elapsedMs);
  const last = reached.at(-1);
  if (last === undefined) return Number.NEGATIVE_INFINITY;
  const rounds =
    reached.length < DEEP_AFTER_OPENING_MS.length ? 0 : Math.floor((elapsedMs - last) / DEEP_EVERY_MS);
  return openedAtMs + last + rounds * DEEP_EVERY_MS;
}

function deepAfterReturn(returnedAtMs: number | undefined, nowMs: number): number {
  if (returnedAtMs === undefined) return Number.NEGATIVE_INFINITY;
  const last = AFTER_RETURN_MS.filter((afterMs) => afterMs <= nowMs - returnedAtMs).at(-1);
  return last === undefined ? Number.NEGATIVE_INFINITY : returnedAtMs + last;
}
