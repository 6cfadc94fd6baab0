import type { NodeEnd } from '../crowd/node.js';
import type { RowChange } from '../stage/managers.js';

export const NEVER = Number.NEGATIVE_INFINITY;
export const FOREVER = Number.POSITIVE_INFINITY;
const TOLD = 6;

/** From when it began to register to when it ended. */
export interface Life {
  readonly fromMs: number;
  registeredAtMs: number | undefined;
  endingAtMs: number;
  endedAtMs: number;
  how: NodeEnd | undefined;
  /** The end has been looked at, or cannot be. */
  done: boolean;
}

/** What is remembered of a node. */
export interface Known {
  readonly lives: Life[];
  changes: RowChange[];
  rowDeletedAtMs: number;
}

/** A time in which a row was not active. */
export interface Lapse {
  readonly fromMs: number;
  readonly toMs: number;
  /** What began it. */
  readonly by: RowChange;
}

/** When the row was not active, of what touches this time; `fromMs` may lie before it. */
export function lapses(changes: readonly RowChange[], fromMs: number, toMs: number): Lapse[] {
  const found: Lapse[] = [];
  let by: RowChange | undefined;
  for (const change of changes) {
    if (change.atMs > toMs) break;
    if (change.state !== 'active') by ??= change;
    else if (by !== undefined) {
      found.push({ fromMs: by.atMs, toMs: change.atMs, by });
      by = undefined;
    }
  }
  if (by !== undefined) found.push({ fromMs: by.atMs, toMs, by });
  return found.filter((lapse) => lapse.toMs > fromMs && fromMs < toMs);
}

/** What is over has been judged: of the past the last write of each kind is enough. */
export function forget(known: Known, nowMs: number): void {
  const opened = known.changes.findLast(({ atMs, cause }) => atMs <= nowMs && cause === 'keep-alive');
  const active = known.changes.findLastIndex(({ atMs, state }) => atMs <= nowMs && state === 'active');
  const rest = known.changes.slice(Math.max(0, active));
  known.changes = opened === undefined || rest.includes(opened) ? rest : [opened, ...rest];
  known.lives.splice(0, Math.max(0, known.lives.length - 2));
}

/** What became of a life, for who wants to know; s after its end. */
export function story(
  { fromMs, registeredAtMs, endingAtMs, endedAtMs }: Life,
  changes: readonly RowChange[],
): string {
  const since = (atMs: number): string => ((atMs - endedAtMs) / 1_000).toFixed(2);
  const told = changes
    .slice(-TOLD)
    .map(({ state, cause, via, atMs }) => `${state} by ${cause} via ${via} ${since(atMs)}`);
  return `from ${since(fromMs)}, registered ${since(registeredAtMs ?? FOREVER)}, ending ${since(endingAtMs)}; ${told.join(', ')}`;
}
