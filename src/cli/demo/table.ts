import { clip, wrap } from './format.js';
import type { Paint } from './paint.js';
import type { Row } from './rows.js';
import type { Condition } from './verdict.js';

const INDENT = 2;
const GAP = 2;
const FIGURE_WIDTH = 13;
const HEADERS = { direct: 'direct', gateway: 'gateway' } as const;

/** The table side by side, in at most `width` columns; notes go where there is room for them. */
export function renderTable(rows: readonly Row[], width: number, paint: Paint): string[] {
  const figures = rows.filter((row) => row.kind === 'figure');
  const longest = Math.max(0, ...figures.map(({ label }) => label.length));
  const labelWidth = Math.max(8, Math.min(longest, width - INDENT - 2 * (GAP + FIGURE_WIDTH)));
  const noteWidth = width - INDENT - labelWidth - 2 * (GAP + FIGURE_WIDTH) - GAP;
  const cells = (label: string, direct: string, gateway: string): string =>
    [label.padEnd(INDENT + labelWidth), direct.padStart(FIGURE_WIDTH), gateway.padStart(FIGURE_WIDTH)].join(
      ' '.repeat(GAP),
    );
  const lines = [paint('bold', cells('', HEADERS.direct, HEADERS.gateway))];
  for (const row of rows) {
    if (row.kind === 'heading') {
      lines.push('', paint('bold', clip(row.title, width)));
      continue;
    }
    const line = cells(`${' '.repeat(INDENT)}${clip(row.label, labelWidth)}`, row.direct, row.gateway);
    const note =
      row.note !== undefined && row.note.length <= noteWidth
        ? `${' '.repeat(GAP)}${paint('dim', row.note)}`
        : '';
    lines.push(line + note);
  }
  return [...lines, ...footnotes(figures, noteWidth, width)];
}

/** Notes that found no room beside their rows: a narrow terminal is no reason to say less. */
function footnotes(
  figures: readonly Extract<Row, { kind: 'figure' }>[],
  noteWidth: number,
  width: number,
): string[] {
  const labelsOf = new Map<string, string[]>();
  for (const { label, note } of figures) {
    if (note !== undefined && note.length > noteWidth)
      labelsOf.set(note, [...(labelsOf.get(note) ?? []), label]);
  }
  if (labelsOf.size === 0) return [];
  return ['', ...[...labelsOf].flatMap(([note, labels]) => wrap(`${labels.join(', ')}: ${note}`, width))];
}

/** What has to hold for the gateway's column, and whether it does. */
export function renderConditions(conditions: readonly Condition[], width: number, paint: Paint): string[] {
  return conditions.flatMap(({ text, found, holds }) => {
    const mark = holds ? paint('green', 'holds') : paint('red', 'FAILS');
    const [first = '', ...rest] = wrap(`${text} (${found})`, Math.max(20, width - 7));
    return [`${mark}  ${first}`, ...rest.map((line) => `       ${line}`)];
  });
}
