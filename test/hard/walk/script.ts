import { type Random, seededRandom } from '../../../src/simulator/fleet/random.js';
import type { Fault } from './faults/fault.js';
import { FAULTS_MS } from './settings.js';

/** One fault of a round; from its beginning, ms. */
export interface Mishap {
  readonly fault: Fault;
  readonly beginMs: number;
  readonly endMs: number;
  /** Its own, so that it chooses the same whatever else happens first. */
  readonly random: Random;
}

const FEWEST = 3;
const MOST = 7;
const SHORTEST_MS = 100;

/**
 * The same rounds for the same seed. Faults are drawn from a bag that is filled again when it is empty, so that none waits for chance,
 * and none happens twice at a time.
 */
export function createScript(faults: readonly Fault[], random: Random): { nextRound(): readonly Mishap[] } {
  let bag: Fault[] = [];
  const draw = (): Fault => {
    if (bag.length === 0) bag = [...faults];
    const [fault] = bag.splice(Math.floor(random() * bag.length), 1);
    if (fault === undefined) throw new Error('there is no fault');
    return fault;
  };
  return {
    nextRound() {
      const count = Math.min(faults.length, FEWEST + Math.floor(random() * (MOST - FEWEST + 1)));
      const chosen = new Set<Fault>();
      while (chosen.size < count) chosen.add(draw());
      return [...chosen].map((fault) => {
        // Most are short, some last, and all end with the round.
        const longestMs = Math.min(fault.longestMs ?? FAULTS_MS, FAULTS_MS);
        const lastsMs = SHORTEST_MS * (longestMs / SHORTEST_MS) ** Math.sqrt(random());
        const beginMs = random() * (FAULTS_MS - lastsMs);
        return { fault, beginMs, endMs: beginMs + lastsMs, random: seededRandom(random() * 2 ** 32) };
      });
    },
  };
}
