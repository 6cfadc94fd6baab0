import { expect, it } from 'vitest';
import { createBook } from '../../src/registrations/book.js';
import { createRetelling } from '../../src/registrations/shared/retelling.js';
import { ManualClock } from '../support/manual-clock.js';

const MOST_TOLD = 4_096;
/** Nobody makes up for anything for 3 s: at a millisecond each there is time for fewer. */
const ROUND_TRIPS = 100;

it('all that a Redis may have forgotten is told to it within its first seconds, many at a time', async () => {
  let generation = '1';
  let underWay = 0;
  let roundTrips = 0;
  const told: number[] = [];
  const tell = async (nth: number): Promise<boolean> => {
    if (underWay++ === 0) roundTrips++;
    await new Promise((answered) => setImmediate(answered));
    underWay--;
    told.push(nth);
    return true;
  };
  const retelling = createRetelling({
    book: createBook(),
    exchange: {
      usable: true,
      audit: async () => [],
      watch: async () => undefined,
      get generation() {
        return generation;
      },
    },
    put: async () => true,
    learn: async () => true,
    when: () => ({ ageMs: 0 }),
    clock: new ManualClock(),
    emit: () => undefined,
  });
  await retelling.retell();
  const all = Array.from({ length: MOST_TOLD }, (_, nth) => nth);
  await Promise.all(all.map((nth) => retelling.tellForGood(`settled ${nth}`, () => tell(nth))));
  [told.length, roundTrips, generation] = [0, 0, '2'];
  await retelling.retell();
  expect(told).toEqual(all);
  expect(roundTrips).toBeLessThan(ROUND_TRIPS);
});
