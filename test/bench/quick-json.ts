import type { Results } from './results.js';
import { summaryOf } from './summary.js';

/** The measures of a row that others read; the raw results have more. */
const MEASURES = ['callsPerSecond', 'cpuSecondsPer10k', 'p99Ms', 'kbPerConnection'] as const;

export type QuickRow = { readonly scenario: string; readonly target: string } & Partial<
  Record<(typeof MEASURES)[number], number>
>;

/** Medians, one row per scenario and target; what a row does not measure is left out. */
export function quickJson({ rows }: Pick<Results, 'rows'>): { readonly rows: readonly QuickRow[] } {
  return {
    rows: rows.map((row) => {
      const { scenario, target, medians } = summaryOf(row);
      const measured = MEASURES.filter((measure) => medians[measure] !== undefined);
      const values = measured.map((measure) => [measure, round(medians[measure] as number)]);
      return { scenario, target, ...Object.fromEntries(values) };
    }),
  };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
