import { describe, expect, it } from 'vitest';
import { type Acknowledged, WritesJudge } from '../hard/walk/judge/writes.js';

const RULE = 'a write is acknowledged only if applied, or journaled and then applied';
const TAKEN: Acknowledged = {
  key: 'n',
  version: 2,
  path: '/UpdateScheduler',
  hash: 'h',
  journaled: false,
  calledAtMs: 1_000,
  gotAtMs: 1_100,
};
const APPLIED = { path: TAKEN.path, hash: 'h', code: 0, fromMs: 1_020, toMs: 1_080 };

const rules = (violations: readonly { readonly rule: string }[]): string[] =>
  violations.map(({ rule }) => rule);

describe('a registration that was acknowledged as taken', () => {
  it('was taken by a manager meanwhile', () => {
    const judge = new WritesJudge();
    judge.received(APPLIED);
    judge.acknowledged(TAKEN);
    expect(judge.settle(2_000)).toEqual([]);
    expect([judge.direct, judge.journaled]).toEqual([1, 0]);
  });

  it.each([
    ['nobody has taken', undefined],
    ['was refused', { ...APPLIED, code: 13 }],
    ['was another one', { ...APPLIED, hash: 'other' }],
    ['was taken before it was sent', { ...APPLIED, fromMs: 100, toMs: 200 }],
    ['was taken after it was acknowledged', { ...APPLIED, toMs: 1_900 }],
  ])('and that %s is a broken promise', (_name, applied) => {
    const judge = new WritesJudge();
    if (applied !== undefined) judge.received(applied);
    judge.acknowledged(TAKEN);
    expect(rules(judge.settle(2_000))).toEqual([RULE]);
  });
});

it('a deletion that was acknowledged was done by a manager meanwhile, and is never written down for later', () => {
  const deletion = { ...TAKEN, version: 0, path: '/DeleteSeedPeer' };
  const judge = new WritesJudge();
  judge.received({ ...APPLIED, path: deletion.path });
  judge.deleted(deletion);
  expect(judge.settle(2_000)).toEqual([]);
  judge.deleted({ ...deletion, calledAtMs: 3_000, gotAtMs: 3_100, journaled: true });
  expect(rules(judge.settle(4_000))).toEqual([RULE]);
  expect(judge.deletions).toBe(2);
});

describe('a registration that was taken, and then an older one stands in the row,', () => {
  const older = { ...TAKEN, version: 1, hash: 'older', code: -1, calledAtMs: 100, gotAtMs: 900 };
  const judged = (received: readonly { readonly fromMs: number; readonly toMs: number }[]): string[] => {
    const judge = new WritesJudge();
    judge.tried(older);
    for (const one of received) judge.received({ path: older.path, hash: 'older', code: 1, ...one });
    judge.received(APPLIED);
    judge.tried({ ...TAKEN, code: 0 });
    expect(judge.settle(5_000)).toEqual([]);
    const broken = rules(judge.settleRows(new Map([['n', 1]]), ['n'], 30_000));
    expect(judge.overtaken).toBe(1 - broken.length);
    return broken;
  };

  it('was overtaken at a manager that had received the older one before', () => {
    expect(judged([{ fromMs: 110, toMs: 4_000 }])).toEqual([]);
  });

  it('is a broken promise if the older one was sent later', () => {
    expect(
      judged([
        { fromMs: 110, toMs: 4_000 },
        { fromMs: 1_200, toMs: 1_300 },
      ]),
    ).toEqual([RULE]);
    expect(judged([])).toEqual([RULE]);
  });
});

describe('a registration that was journaled', () => {
  const settled = (versions: ReadonlyMap<string, number>, more?: (judge: WritesJudge) => void): string[] => {
    const judge = new WritesJudge();
    judge.acknowledged({ ...TAKEN, journaled: true });
    expect(judge.settle(2_000)).toEqual([]);
    more?.(judge);
    return rules(judge.settleRows(versions, ['n', 'never acknowledged'], 30_000));
  };

  it('is in the row when all is well, or a later one is', () => {
    expect(settled(new Map([['n', 2]]))).toEqual([]);
    expect(settled(new Map([['n', 3]]))).toEqual([]);
  });

  it('and is not, or was made up for with an older one, breaks a promise', () => {
    expect(settled(new Map())).toEqual([RULE]);
    expect(settled(new Map([['n', 1]]))).toEqual([RULE]);
    const older = { ...TAKEN, version: 1 };
    expect(settled(new Map([['n', 1]]), (judge) => judge.acknowledged(older))).toEqual([RULE]);
  });

  it('is nobody’s any more once the node has deleted itself', () => {
    expect(settled(new Map(), (judge) => judge.deleted({ ...TAKEN, version: 0 }))).toEqual([]);
  });
});
