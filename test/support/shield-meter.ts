import type { StateChange } from '../../src/simulator/manager/manager-record.js';

/** One stretch of time in which a row was not active; `toMs` is the end of what was looked at if it lasted longer. */
export interface Lapse {
  readonly fromMs: number;
  readonly toMs: number;
  /** What began it, e.g. "cancel"; "before" if it lasted already. */
  readonly cause: string;
}

/** When the node of this history was inactive or gone between two moments of the history's clock. */
export function lapsesBetween(history: readonly StateChange[], fromMs: number, toMs: number): Lapse[] {
  const lapses: Lapse[] = [];
  let open: { fromMs: number; cause: string } | undefined;
  for (const { atMs, state, cause } of history) {
    if (atMs > toMs) break;
    if (state !== 'active') open ??= { fromMs: atMs, cause };
    else if (open !== undefined) {
      lapses.push({ ...open, toMs: atMs });
      open = undefined;
    }
  }
  if (open !== undefined) lapses.push({ ...open, toMs });
  return lapses
    .filter((lapse) => lapse.toMs > fromMs)
    .map((lapse) => (lapse.fromMs < fromMs ? { ...lapse, fromMs, cause: 'before' } : lapse));
}

/** ms in all. */
export function inactiveMs(history: readonly StateChange[], fromMs: number, toMs: number): number {
  return lapsesBetween(history, fromMs, toMs).reduce((sum, lapse) => sum + lapse.toMs - lapse.fromMs, 0);
}
