import type { LogLine } from '../../observe/log-line.js';

/** A line of the log from `warn` on; lines alike that follow soon are one, counted. */
export interface Warning {
  /** Grows with each that is new. */
  readonly id: number;
  readonly firstAt: string;
  /** The last time. */
  readonly at: string;
  readonly count: number;
  readonly level: string;
  readonly event: string;
  readonly text: string;
}

export interface Warnings {
  add(event: string, line: LogLine): void;
  /** Those that were seen last at the end. */
  list(): readonly Warning[];
  /** Told of each that is new, and at most once a second of one that goes on; returns the way to stop. */
  watch(told: (warning: Warning) => void): () => void;
  /** Tells what has gone on since it was told. */
  catchUp(): void;
}

const KEPT = 200;
/** A storm of new ones is for the log; a page that gets more than this has had enough to read. */
const NEW_PER_SECOND = 20;
/** What is said again within this time goes on; later it is news. */
const GOES_ON_MS = 60_000;
const TOLD_AGAIN_MS = 1_000;
const SHOWN = new Set(['warn', 'error', 'fatal']);

type Kept = { warning: Warning; readonly key: string; lastMs: number; toldMs: number; isTold: boolean };

export function createWarnings({ nowMs, wallMs }: { nowMs: () => number; wallMs: () => number }): Warnings {
  /** By id, in the order of their last times. */
  const kept = new Map<number, Kept>();
  const goingOn = new Map<string, Kept>();
  const watchers = new Set<(warning: Warning) => void>();
  let nextId = 1;
  let second = 0;
  let inSecond = 0;

  const tell = (one: Kept): void => {
    one.toldMs = nowMs();
    one.isTold = true;
    for (const told of [...watchers]) told(one.warning);
  };
  const isTooMuch = (): boolean => {
    const now = Math.floor(nowMs() / 1_000);
    if (now !== second) [second, inSecond] = [now, 0];
    return ++inSecond > NEW_PER_SECOND;
  };
  const keep = (one: Kept): void => {
    kept.delete(one.warning.id);
    kept.set(one.warning.id, one);
    const [oldest] = kept.values();
    if (kept.size <= KEPT || oldest === undefined) return;
    kept.delete(oldest.warning.id);
    if (goingOn.get(oldest.key) === oldest) goingOn.delete(oldest.key);
  };
  const again = (one: Kept, text: string, at: string): void => {
    one.warning = { ...one.warning, at, text, count: one.warning.count + 1 };
    one.lastMs = nowMs();
    keep(one);
    if (nowMs() - one.toldMs >= TOLD_AGAIN_MS) tell(one);
    else one.isTold = false;
  };

  return {
    add(event, line) {
      if (!SHOWN.has(line.level)) return;
      const key = line.repeatKey ?? line.msg;
      const at = new Date(wallMs()).toISOString();
      const known = goingOn.get(key);
      if (known !== undefined && known.warning.level === line.level && nowMs() - known.lastMs < GOES_ON_MS) {
        return again(known, line.msg, at);
      }
      if (isTooMuch()) return;
      const warning = { id: nextId++, firstAt: at, at, count: 1, level: line.level, event, text: line.msg };
      const one: Kept = { warning, key, lastMs: nowMs(), toldMs: 0, isTold: false };
      goingOn.set(key, one);
      keep(one);
      tell(one);
    },
    list: () => [...kept.values()].map(({ warning }) => warning),
    watch(told) {
      watchers.add(told);
      return () => watchers.delete(told);
    },
    catchUp() {
      for (const one of kept.values()) if (!one.isTold) tell(one);
    },
  };
}
