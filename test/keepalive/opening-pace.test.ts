import { beforeEach, describe, expect, it } from 'vitest';
import { createOpeningPace, type OpeningPace } from '../../src/keepalive/opening-pace.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { ManualClock } from '../support/manual-clock.js';

let clock: ManualClock;
let events: GatewayEvent[];
let pace: OpeningPace;
let draws: number;
let opened: string[];

beforeEach(() => {
  clock = new ManualClock();
  [events, opened, draws] = [[], [], 0];
  // Every twentieth of the range in turn.
  const random = (): number => (draws++ % 20) / 20;
  pace = createOpeningPace({ clock, random, emit: (event) => events.push(event) });
});

const enter = (who: 'new' | 'replaced' | 'returning', count: number): (() => void)[] =>
  Array.from({ length: count }, (_, n) => pace.enter(who, () => opened.push(`${who}-${n}`)));

describe('streams are opened', () => {
  it('at once for nodes that are new, however many', () => {
    enter('new', 5_000);
    expect(opened).toHaveLength(5_000);
  });

  it('at once for the first that is replaced', () => {
    enter('replaced', 1);
    expect(opened).toEqual(['replaced-0']);
  });

  it('at a thousand a second for nodes that come back, in the order in which they came', () => {
    enter('replaced', 1_000);
    clock.advance(500);
    expect(opened.length).toBeGreaterThan(480);
    expect(opened.length).toBeLessThan(530);
    clock.advance(510);
    expect(opened).toHaveLength(1_000);
    expect(opened).toEqual(opened.map((_, n) => `replaced-${n}`));
    expect(pace.waiting).toBe(0);
  });

  it('a little apart by chance after a loss, so that several gateways are not in step', () => {
    enter('returning', 20);
    expect(opened).toEqual([]);
    clock.advance(25);
    expect(opened.length).toBeGreaterThan(5);
    expect(opened.length).toBeLessThan(15);
    clock.advance(30);
    expect(opened).toHaveLength(20);
  });

  it('not in one burst after a standstill', () => {
    clock.advance(3_600_000);
    enter('replaced', 1_000);
    expect(opened.length).toBeLessThan(20);
  });

  it.each(['replaced', 'returning'] as const)('not for those that have given up (%s)', (who) => {
    const leave = enter(who, 100);
    for (const one of leave.slice(1)) one();
    clock.advance(1_000);
    expect(opened).toEqual([`${who}-0`]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a manager that asks for less', () => {
  const perSecond = (): number => {
    opened = [];
    const leave = enter('replaced', 3_000);
    clock.advance(1_000);
    const count = opened.length;
    for (const one of leave) one();
    clock.advance(100);
    return count;
  };

  it('has half as many a second, and slowly as many as before', () => {
    pace.lower();
    pace.lower();
    expect(events).toEqual([{ kind: 'openings-lowered', perSecond: 500 }]);
    const lowered = perSecond();
    expect(lowered).toBeGreaterThan(450);
    expect(lowered).toBeLessThan(650);
    clock.advance(10_000);
    expect(perSecond()).toBeGreaterThan(950);
  });

  it('again and again has few, but never none', () => {
    for (let n = 0; n < 30; n++) {
      pace.lower();
      clock.advance(1_000);
    }
    expect(perSecond()).toBeGreaterThan(15);
    expect(events.at(-1)).toMatchObject({ kind: 'openings-lowered' });
  });
});
