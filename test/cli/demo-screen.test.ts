import { describe, expect, it } from 'vitest';
import { livePicture, type Moment } from '../../src/cli/demo/live.js';
import { createPaint } from '../../src/cli/demo/paint.js';
import { Screen } from '../../src/cli/demo/screen.js';
import { SCRIPT, TIME_FACTOR } from '../../src/cli/demo/script.js';
import { held, hurt } from './demo-figures.js';

const plain = createPaint(false, {});
const moment: Moment = {
  phase: { name: 'frozen', what: 'nothing answers', lastsMs: 10, manager: { kind: 'down' } },
  atMs: 300_000,
  lastsMs: 600_000,
  direct: hurt(),
  gateway: held(),
};

function screen(isTty: boolean, columns?: number): { screen: Screen; written: () => string } {
  let text = '';
  const output = { write: (more: string) => (text += more), columns };
  return { screen: new Screen(output, { isTty, paint: plain }), written: () => text };
}

describe('The live picture', () => {
  it('shows how far it is, the phase, and both sides', () => {
    const lines = livePicture(moment, 100, plain);
    expect(lines[0]).toBe(`[${'#'.repeat(25)}${'.'.repeat(25)}]  5m 00s of 10m 00s`);
    expect(lines[1]).toBe('frozen: nothing answers');
    expect(lines.find((line) => line.startsWith('calls failed'))?.split(/ {2,}/)).toEqual([
      'calls failed',
      '409',
      '0',
    ]);
    expect(lines.find((line) => line.startsWith('active nodes'))?.split(/ {2,}/)).toEqual([
      'active nodes',
      '5/5',
      '5/5',
    ]);
  });

  it.each([40, 60, 200])('is never wider than %d columns', (width) => {
    for (const phase of SCRIPT) {
      for (const line of livePicture({ ...moment, phase }, width, plain))
        expect(line.length).toBeLessThanOrEqual(width);
    }
  });

  it('is drawn over itself in a terminal, and the cursor comes back once', () => {
    const { screen: live, written } = screen(true, 80);
    const height = livePicture(moment, 79, plain).length;
    live.show(moment, false);
    expect(written()).not.toContain(`\u001b[${height}A`);
    live.show(moment, false);
    live.close();
    live.close();
    expect(written()).toContain(`\u001b[${height}A`);
    expect(written().split('\u001b[?25l')).toHaveLength(2);
    expect(written().split('\u001b[?25h')).toHaveLength(2);
    expect(written().endsWith('\u001b[?25h')).toBe(true);
  });

  it('is a line for each side where lines stay, at important moments only, without any control character', () => {
    const { screen: live, written } = screen(false);
    live.show(moment, false);
    expect(written()).toBe('');
    live.show(moment, true);
    live.close();
    expect(written().trimEnd().split('\n')).toHaveLength(2);
    expect(written()).toContain('frozen  gateway: answered 1,010, failed 0');
    expect(written()).not.toContain('\u001b');
  });
});

describe('The script', () => {
  it('leaves time to start and to stop within 90 s', () => {
    const lastsMs = SCRIPT.reduce((sum, phase) => sum + phase.lastsMs, 0) / TIME_FACTOR;
    expect(lastsMs).toBeLessThanOrEqual(75_000);
  });

  it('counts from before anything is wrong', () => {
    const counted = SCRIPT.findIndex(({ counts }) => counts === 'from-here');
    for (const { manager } of SCRIPT.slice(0, counted + 1))
      expect(manager).toEqual({ kind: 'up', faults: [] });
  });
});
