import { expect, it } from 'vitest';
import { seededRandom } from '../../src/simulator/fleet/random.js';
import { FAULTS } from '../hard/walk/faults/faults.js';
import { createScript, type Mishap } from '../hard/walk/script.js';
import { FAULTS_MS } from '../hard/walk/settings.js';

const ROUNDS = 40;

function rounds(seed: number): (readonly Mishap[])[] {
  const script = createScript(FAULTS, seededRandom(seed));
  return Array.from({ length: ROUNDS }, () => script.nextRound());
}

const shown = (all: readonly (readonly Mishap[])[]): unknown =>
  all.map((round) =>
    round.map(({ fault, beginMs, endMs, random }) => [fault.name, beginMs, endMs, random()]),
  );

it('the same seed makes the same walk, another one another', () => {
  expect(shown(rounds(7))).toEqual(shown(rounds(7)));
  expect(shown(rounds(7))).not.toEqual(shown(rounds(8)));
});

it('every fault has its turn, none twice at a time, and all of them end with their round', () => {
  const all = rounds(1);
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  expect(new Set(all.flat().map(({ fault }) => fault)).size).toBe(FAULTS.length);
  for (const round of all) {
    expect(new Set(round.map(({ fault }) => fault)).size).toBe(round.length);
    for (const { beginMs, endMs, fault } of round) {
      expect(endMs - beginMs).toBeLessThanOrEqual(fault.longestMs ?? FAULTS_MS);
      expect(Math.min(beginMs, FAULTS_MS - endMs)).toBeGreaterThanOrEqual(0);
    }
  }
});
