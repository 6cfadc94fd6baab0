import { expect, it } from 'vitest';
import { createRecentCount } from '../../src/downstream/recent-count.js';
import { ManualClock } from '../support/manual-clock.js';

it('what happened within the last second counts, and nothing that happened two seconds ago', () => {
  const clock = new ManualClock();
  const recent = createRecentCount(clock);
  const seen: number[] = [];
  for (let at = 0; at < 8; at++) {
    recent.add();
    seen.push(recent.count);
    clock.advance(400);
  }
  expect(seen).toEqual([1, 2, 3, 4, 5, 3, 4, 5]);
  clock.advance(1_600);
  expect(recent.count).toBe(0);
});
