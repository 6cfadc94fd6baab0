import { describe, expect, it } from 'vitest';
import { OrderJudge, type Seen } from '../hard/walk/judge/order.js';

const FIRST: Seen = {
  process: '0.1',
  group: 'q',
  calledAtMs: 10_000,
  gotAtMs: 10_010,
  ageMs: 500,
  empty: false,
  source: 'hit',
};
/** Called when the first had been answered. */
const NEXT: Seen = { ...FIRST, calledAtMs: 11_000, gotAtMs: 11_010 };

function broken(...seen: readonly Seen[]): string[] {
  const judge = new OrderJudge({ emptyHoldMs: 6_000, toleranceMs: 10 });
  return seen.flatMap((one) => judge.seen(one)).map(({ rule }) => rule);
}

describe('per process and question, time', () => {
  it('may stand still, and go on', () => {
    expect(broken(FIRST, { ...NEXT, ageMs: 1_500 }, { ...NEXT, calledAtMs: 11_020, ageMs: 0 })).toEqual([]);
  });

  it('never goes back', () => {
    expect(broken(FIRST, { ...NEXT, ageMs: 1_600 })).toEqual(['time never goes back']);
    // Not after what came in between, either.
    const between = { ...NEXT, calledAtMs: 10_020, gotAtMs: 10_030, ageMs: 520 };
    expect(broken(FIRST, between, { ...NEXT, ageMs: 1_600 })).toEqual(['time never goes back']);
  });

  it('is nobody else’s: of another process, of another question, of who had called before', () => {
    const older = { ...NEXT, ageMs: 1_600 };
    expect(broken(FIRST, { ...older, process: '0.2' })).toEqual([]);
    expect(broken(FIRST, { ...older, group: 'other' })).toEqual([]);
    expect(broken(FIRST, { ...older, calledAtMs: 10_005, ageMs: 2_000 })).toEqual([]);
  });

  it('is remembered of a process for as long as it lives', () => {
    const judge = new OrderJudge({ emptyHoldMs: 6_000, toleranceMs: 10 });
    judge.seen(FIRST);
    const late = { ...NEXT, calledAtMs: 100_000, gotAtMs: 100_010, ageMs: 90_600 };
    for (const atMs of [40_000, 70_000])
      judge.seen({ ...FIRST, calledAtMs: atMs, gotAtMs: atMs + 10, ageMs: atMs - 9_500 });
    expect(judge.seen(late).map(({ rule }) => rule)).toEqual(['time never goes back']);
    judge.forget('0.1');
    expect(judge.seen({ ...late, calledAtMs: 101_000, gotAtMs: 101_010, ageMs: 99_000 })).toEqual([]);
  });
});

describe('an empty list', () => {
  const empty = (calledAtMs: number): Seen => ({
    ...FIRST,
    calledAtMs,
    gotAtMs: calledAtMs + 10,
    ageMs: 0,
    empty: true,
  });

  it('is given after its hold, and where nothing else was given', () => {
    expect(broken(FIRST, empty(15_600))).toEqual([]);
    expect(broken(empty(10_000), empty(11_000))).toEqual([]);
  });

  it('gives way to an older one that is not, which is heard of later', () => {
    expect(broken(empty(10_000), { ...NEXT, ageMs: 5_000 })).toEqual([]);
    expect(broken(FIRST, empty(15_600), { ...NEXT, calledAtMs: 15_700, ageMs: 7_000 })).toEqual([
      'time never goes back',
    ]);
  });

  it('is never given before', () => {
    expect(broken(FIRST, empty(15_400))).toEqual(['no empty list before its hold']);
  });
});
