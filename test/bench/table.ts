import type { Row } from './results.js';
import { type Summary, summaryOf } from './summary.js';

/** The measures of the table, in their order: key, heading, digits. */
const COLUMNS = [
  ['callsPerSecond', 'calls/s', 0],
  ['cpuSecondsPer10k', 'CPU s/10k', 2],
  ['p50Ms', 'p50 ms', 2],
  ['p99Ms', 'p99 ms', 2],
  ['kbPerConnection', 'KB/conn.', 1],
] as const;

/** Median and, in brackets, lowest and highest of each measure, and the ratio to `reference` where it has one. */
export function tableOf(rows: readonly Row[], reference = 'envoy'): string {
  const summaries = rows.map(summaryOf);
  const lines = [['scenario', 'target', ...COLUMNS.map(([, heading]) => `${heading} (x ${reference})`)]];
  for (const summary of summaries) {
    const base = summaries.find((one) => one.scenario === summary.scenario && one.target === reference);
    lines.push([
      summary.scenario,
      summary.target,
      ...COLUMNS.map(([measure, , digits]) => cell(summary, base, measure, digits)),
    ]);
  }
  return aligned(lines);
}

/** "1234 (1200..1300) 0.95x"; "" where it was not measured. */
export function cell(summary: Summary, base: Summary | undefined, measure: string, digits: number): string {
  const value = summary.medians[measure];
  const [low, high] = summary.spreads[measure] ?? [];
  if (value === undefined || low === undefined || high === undefined) return '';
  const range = summary.repetitions > 1 ? ` (${low.toFixed(digits)}..${high.toFixed(digits)})` : '';
  const compared = base?.medians[measure];
  const ratio = base === summary || !compared ? '' : ` ${(value / compared).toFixed(2)}x`;
  return `${value.toFixed(digits)}${range}${ratio}`;
}

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
