import { describe, expect, it } from 'vitest';
import { BeatsJudge, type Heard } from '../hard/walk/judge/beats.js';
import type { NodeRound } from '../hard/walk/judge/node-terms.js';

/** Looked at for nine seconds. */
const FROM_MS = 110_000;
const ROUND: NodeRound = { calmFromMs: 100_000, toMs: 119_000, lossUntilMs: 0, allowanceMs: 0 };
const RULE = 'the beats of a live node come through';

const row = (heard: number): Heard[] => [{ key: 'n', heard }];

function broken(before: readonly Heard[], after: readonly Heard[], over: Partial<NodeRound> = {}): string[] {
  const judge = new BeatsJudge(5_000);
  judge.listen(before, FROM_MS);
  return judge.settle(after, ['n'], { ...ROUND, ...over }).map(({ rule }) => rule);
}

describe('a live node', () => {
  it('whose beats come through breaks nothing, whatever its streams are', () => {
    expect(broken(row(7), row(16))).toEqual([]);
    expect(broken(row(0), row(1))).toEqual([]);
  });

  it('whose stream is not opened again is silent, though its row is active', () => {
    expect(broken(row(7), row(7))).toEqual([RULE]);
  });

  it('is not judged by a machine that stood still meanwhile', () => {
    expect(broken(row(7), row(7), { allowanceMs: 3_900 })).toEqual([RULE]);
    expect(broken(row(7), row(7), { allowanceMs: 4_000 })).toEqual([]);
  });

  it('without a row is for others to judge', () => {
    expect(broken([], row(7))).toEqual([]);
    expect(broken(row(7), [])).toEqual([]);
  });
});

it('nobody is judged before it was listened for them, or who was not there all the time', () => {
  const judge = new BeatsJudge(5_000);
  expect(judge.settle(row(7), ['n'], ROUND)).toEqual([]);
  judge.listen(row(7), FROM_MS);
  expect(judge.settle(row(7), [], ROUND)).toEqual([]);
  expect(judge.judged).toBe(0);
  expect(judge.settle(row(8), ['n'], ROUND)).toEqual([]);
  expect(judge.judged).toBe(1);
});
