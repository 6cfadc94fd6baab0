import type { Callers, CallerView } from '../../observe/callers.js';
import { type HttpRoute, json } from '../http-server.js';

const MOST = 500;

/** `GET /api/callers`: who connects, those first who do not keep what they open. */
export function listCallers({ callers, nowMs }: { callers: Callers; nowMs: () => number }): HttpRoute {
  return () => {
    const all = callers.list();
    const now = nowMs();
    return json(200, { count: all.length, callers: all.slice(0, MOST).map((caller) => shown(caller, now)) });
  };
}

export type ShownCaller = ReturnType<typeof shown>;

function shown(
  { lastOpenedAtMs, connectionsPerMinute, usualPerMinute, ...caller }: CallerView,
  nowMs: number,
) {
  return {
    ...caller,
    connectionsPerMinute: Math.round(connectionsPerMinute * 10) / 10,
    usualPerMinute: Math.round(usualPerMinute * 10) / 10,
    lastOpenedAgoMs: Math.round(nowMs - lastOpenedAtMs),
  };
}
