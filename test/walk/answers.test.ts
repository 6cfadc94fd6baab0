import { describe, expect, it } from 'vitest';
import { AnswersJudge, type Given, type SaidOnce } from '../hard/walk/judge/answers.js';

const OPTIONS = { maxStaleMs: 20_000, toleranceMs: 10 };
const SAID: SaidOnce = { group: 'q', hash: 'a', set: undefined, fromMs: 1_000, toMs: 1_020 };
const GIVEN: Given = {
  group: 'q',
  hash: 'a',
  set: undefined,
  calledAtMs: 3_000,
  gotAtMs: 3_005,
  ageMs: 2_002,
  elsewhere: false,
};

function judged(said: readonly SaidOnce[], given: Given): string[] {
  const judge = new AnswersJudge(OPTIONS);
  judge.given(given);
  // Told later than it happened, as by a process that was frozen.
  for (const one of said) judge.said(one);
  const broken = judge.settle(given.gotAtMs);
  expect(judge.judged).toBe(1);
  return broken.map(({ rule }) => rule);
}

describe('an answer', () => {
  it('that the manager gave for that question, when the age says, breaks nothing', () => {
    expect(judged([SAID], GIVEN)).toEqual([]);
  });

  it('may be older by its age than it is, for it may have waited on its way to the manager', () => {
    expect(judged([SAID], { ...GIVEN, ageMs: 2_600 })).toEqual([]);
  });

  const NOT_SAID = ['every answer is one that the manager gave for that question'];
  it.each([
    ['that was given for another question', [{ ...SAID, group: 'other' }]],
    ['with other bytes', [{ ...SAID, hash: 'b' }]],
    ['that was said only later', [{ ...SAID, fromMs: 3_100, toMs: 3_120 }]],
    ['that nobody ever said', []],
  ])('%s is a lie', (_name, said) => {
    expect(judged(said, GIVEN)).toEqual(NOT_SAID);
  });

  it('that says to be younger than it is breaks a promise', () => {
    expect(judged([SAID], { ...GIVEN, ageMs: 1_900 })).toEqual(['an answer is no older than it says']);
  });

  it('is as young as the newest time that it was said', () => {
    const again = { ...SAID, fromMs: 1_500, toMs: 1_600 };
    expect(judged([SAID, again], { ...GIVEN, ageMs: 1_550 })).toEqual([]);
  });

  it('that is older than maxStale breaks a promise, whoever said it', () => {
    const given = { ...GIVEN, calledAtMs: 21_100, gotAtMs: 21_105, ageMs: 20_102 };
    expect(judged([SAID], given)).toEqual(['no answer older than maxStale']);
  });

  it('of elsewhere is the same list in another order', () => {
    const said = { ...SAID, group: 'other place', hash: 'b', set: 's' };
    const given = { ...GIVEN, hash: 'c', set: 's' };
    expect(judged([said], { ...given, elsewhere: true })).toEqual([]);
    expect(judged([said], given)).toEqual(NOT_SAID);
    expect(judged([said], { ...given, set: 't', elsewhere: true })).toEqual(NOT_SAID);
  });

  it('is judged by what is remembered for as long as it may be given, and no longer', () => {
    const judge = new AnswersJudge(OPTIONS);
    judge.said(SAID);
    judge.settle(40_000);
    judge.given(GIVEN);
    expect(judge.settle(60_000)).toEqual([]);
    judge.given(GIVEN);
    expect(judge.settle(60_000).map(({ rule }) => rule)).toEqual(NOT_SAID);
  });
});
