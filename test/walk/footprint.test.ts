import { expect, it } from 'vitest';
import { FootprintJudge } from '../hard/walk/judge/footprint.js';

const RULE = 'no growth of connections, descriptors or memory';
const LIMITS = {
  descriptors: 90,
  descriptorGrowth: 12,
  residentMib: 400,
  growth: 1.15,
  growthMib: 30,
  samples: 9,
};

function broken(residentMib: readonly number[], descriptors = 40): string[] {
  const judge = new FootprintJudge(LIMITS);
  return residentMib
    .flatMap((one, index) => judge.sample({ name: 'r', atMs: index, descriptors, residentMib: one }))
    .map(({ rule }) => rule);
}

it('a process whose memory goes up and down breaks nothing', () => {
  expect(broken([120, 180, 150, 190, 170, 160, 185, 175, 165, 180])).toEqual([]);
});

it('one that grows from round to round does, once there are enough of them to tell', () => {
  const rounds = Array.from({ length: 9 }, (_, index) => 120 + 25 * index);
  expect(broken(rounds)).toEqual([RULE]);
  expect(broken(rounds.slice(0, 8))).toEqual([]);
});

it('so does one whose descriptors do, long before there are too many', () => {
  const judge = new FootprintJudge(LIMITS);
  const of = (descriptors: number) => judge.sample({ name: 'r', atMs: 0, descriptors, residentMib: 100 });
  const rounds = Array.from({ length: 9 }, (_, round) => of(30 + 4 * round));
  expect(rounds.flat().map(({ rule }) => rule)).toEqual([RULE]);
  expect(judge.compared).toBe(1);
});

it('so does one that is too large, or holds too many descriptors, at once', () => {
  expect(broken([401])).toEqual([RULE]);
  expect(broken([100], 91)).toEqual([RULE]);
});

it('one of which nobody can say what it holds is not judged to hold little', () => {
  expect(() => broken([100], Number.NaN)).toThrow('nobody can say what r holds');
  expect(() => broken([Number.NaN])).toThrow('nobody can say what r holds');
});

it('what is counted elsewhere has its own limit', () => {
  const judge = new FootprintJudge(LIMITS);
  expect(judge.count('connections', 20, 20, 0)).toEqual([]);
  expect(judge.count('connections', 21, 20, 0).map(({ rule }) => rule)).toEqual([RULE]);
});
