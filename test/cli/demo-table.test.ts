import { describe, expect, it } from 'vitest';
import { formatDuration, formatShare, wrap } from '../../src/cli/demo/format.js';
import { createPaint } from '../../src/cli/demo/paint.js';
import { tableRows } from '../../src/cli/demo/rows.js';
import { renderConditions, renderTable } from '../../src/cli/demo/table.js';
import { judge } from '../../src/cli/demo/verdict.js';
import { held, hurt } from './demo-figures.js';

const plain = createPaint(false, {});
const rows = tableRows(hurt(), held(), 10);
const table = (width: number): string[] => renderTable(rows, width, plain);

/** The cells of the first line that begins with `label`. */
function cells(label: string): string[] {
  const line = table(120).find((text) => text.trim().startsWith(label)) ?? '';
  return line.trim().split(/ {2,}/);
}

describe('The table of the demo', () => {
  it('shows both sides beside each other', () => {
    expect(cells('calls failed')).toEqual(['calls failed', '399', '0']);
    expect(cells('share answered')).toEqual(['share answered', '60.0 %', '100 %']);
    expect(cells('connections opened')).toEqual(['connections opened', '970', '6']);
  });

  it('shows how the gateway answered, and nothing for the side that has none', () => {
    expect(cells('fresh from the cache')).toEqual(['fresh from the cache', '–', '900']);
    expect(cells('last good one')).toEqual(['last good one, marked stale', '–', '700']);
  });

  it("shows durations in the fleet's time, latencies as measured", () => {
    expect(cells('longest a scheduler had')).toEqual([
      'longest a scheduler had no configuration',
      '1.2s',
      '1.2s',
    ]);
    expect(cells('latency p99')).toEqual(['latency p99', '51 ms', '51 ms', 'as measured']);
  });

  it('counts callers new to the outage apart', () => {
    const cold = rows.findIndex((row) => row.kind === 'heading' && row.title.includes('never seen before'));
    expect(rows[cold + 1]).toMatchObject({ label: 'calls answered', direct: '0 of 9', gateway: '10 of 10' });
  });

  it('shows how long nodes were inactive', () => {
    expect(cells('nodes inactive')).toEqual(['nodes inactive, all together', '5m 00s', '30.0s']);
    expect(cells('streams broken')).toEqual(['streams broken', '113', '0', 'as the nodes saw it']);
  });

  it.each([60, 79, 100, 160])('is never wider than %d columns, and loses no note', (width) => {
    const lines = [
      ...table(width),
      ...renderConditions(judge(hurt(), held(), { connections: 2, timeFactor: 10 }), width, plain),
    ];
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    expect(lines.join(' ')).toContain('as the nodes saw it');
  });

  it('says of each condition whether it holds, and what was found', () => {
    const conditions = [
      { text: 'it is warm', found: '21 degrees', holds: true },
      { text: 'it is dry', found: '3 mm', holds: false },
    ];
    expect(renderConditions(conditions, 80, plain)).toEqual([
      'holds  it is warm (21 degrees)',
      'FAILS  it is dry (3 mm)',
    ]);
  });
});

describe('Figures for people', () => {
  it('are not rounded to everything or nothing', () => {
    expect(formatShare(99_999, 100_000)).toBe('99.9 %');
    expect(formatShare(1, 100_000)).toBe('0.1 %');
    expect(formatShare(7, 7)).toBe('100 %');
    expect(formatShare(0, 7)).toBe('0 %');
    expect(formatShare(0, 0)).toBe('–');
  });

  it('are lengths of time that one can say', () => {
    expect([0, 49, 1_250, 59_949, 59_960, 83_000, 605_000].map(formatDuration)).toEqual([
      '0.0s',
      '0.0s',
      '1.3s',
      '59.9s',
      '1m 00s',
      '1m 23s',
      '10m 05s',
    ]);
  });

  it('are wrapped at spaces', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('', 7)).toEqual(['']);
  });
});

describe('Colour', () => {
  const red = (isTty: boolean, env: NodeJS.ProcessEnv): string => createPaint(isTty, env)('red', 'x');

  it('is for terminals only, and not where NO_COLOR is set', () => {
    expect(red(true, {})).toBe('\u001b[31mx\u001b[0m');
    expect(red(false, {})).toBe('x');
    expect(red(true, { NO_COLOR: '1' })).toBe('x');
    expect(red(true, { TERM: 'dumb' })).toBe('x');
    // As no-color.org has it: set, and not empty.
    expect(red(true, { NO_COLOR: '' })).toBe('\u001b[31mx\u001b[0m');
  });
});
