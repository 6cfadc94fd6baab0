import type { StateChange } from '../../simulator/manager/manager-record.js';

export interface Inactivity {
  readonly totalMs: number;
  readonly longestMs: number;
}

/** How long a node was not active, counted from when it first was: before that it had only just registered. */
export function inactivityOf(history: readonly StateChange[], nowMs: number): Inactivity {
  let everActive = false;
  let sinceMs: number | undefined;
  let totalMs = 0;
  let longestMs = 0;
  const close = (atMs: number): void => {
    if (sinceMs === undefined) return;
    totalMs += atMs - sinceMs;
    longestMs = Math.max(longestMs, atMs - sinceMs);
    sinceMs = undefined;
  };
  for (const { state, atMs } of history) {
    if (state === 'active') {
      everActive = true;
      close(atMs);
    } else if (everActive) {
      sinceMs ??= atMs;
    }
  }
  close(nowMs);
  return { totalMs, longestMs };
}
