import { beforeEach, describe, expect, it } from 'vitest';
import { createWarnings, type Warning, type Warnings } from '../../src/admin/api/warnings.js';
import type { LogLine } from '../../src/observe/log-line.js';
import { ManualClock } from '../support/manual-clock.js';

let clock: ManualClock;
let warnings: Warnings;
let told: Warning[];

const line = (msg: string, more: Partial<LogLine> = {}): LogLine => ({
  level: 'warn',
  msg,
  fields: {},
  ...more,
});

beforeEach(() => {
  clock = new ManualClock();
  warnings = createWarnings({ nowMs: () => clock.nowMs(), wallMs: () => clock.wallMs() });
  told = [];
  warnings.watch((warning) => told.push(warning));
});

describe('the warnings that a page is shown', () => {
  it('are the lines of the log from warn on', () => {
    warnings.add('a', line('slow'));
    warnings.add('b', line('of no concern', { level: 'info' }));
    warnings.add('c', line('broken', { level: 'error' }));
    expect(told).toEqual(warnings.list());
    expect(told).toMatchObject([
      { id: 1, level: 'warn', event: 'a', text: 'slow', count: 1, at: '2026-01-01T00:00:00.000Z' },
      { id: 2, level: 'error', event: 'c', text: 'broken' },
    ]);
  });

  it('are one while the same goes on, told at most once a second and in the end, and news a minute later', () => {
    const again = (n: number): void =>
      warnings.add('fault', line(`failed for the ${n}th time`, { repeatKey: 'f' }));
    for (let n = 1; n <= 50; n++) again(n);
    expect(told.map(({ count }) => count)).toEqual([1]);
    warnings.catchUp();
    expect(told.at(-1)).toMatchObject({ id: 1, count: 50, text: 'failed for the 50th time' });
    clock.advance(1_000);
    again(51);
    expect(told.at(-1)).toMatchObject({
      id: 1,
      count: 51,
      firstAt: '2026-01-01T00:00:00.000Z',
      at: '2026-01-01T00:00:01.000Z',
    });
    clock.advance(60_000);
    again(52);
    expect(told.at(-1)).toMatchObject({ id: 2, count: 1 });
    expect(warnings.list()).toHaveLength(2);
  });

  it('stand in the order in which they were last seen', () => {
    for (const msg of ['one', 'two', 'one']) warnings.add('e', line(msg));
    expect(warnings.list().map(({ text }) => text)).toEqual(['two', 'one']);
  });

  it('are not more than a person can read, and never more than 200 are kept', () => {
    for (let n = 0; n < 100; n++) warnings.add('e', line(`storm ${n}`));
    expect(told).toHaveLength(20);
    for (let n = 0; n < 300; n++) {
      clock.advance(100);
      warnings.add('e', line(`one after the other ${n}`));
    }
    expect(warnings.list()).toHaveLength(200);
    expect(warnings.list().at(-1)?.text).toBe('one after the other 299');
  });
});
