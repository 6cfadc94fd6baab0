import { expect, it } from 'vitest';
import { Belief } from '../../../src/keepalive/claims/belief.js';
import { claimTiming } from '../../../src/keepalive/claims/timing.js';
import { ManualClock } from '../../support/manual-clock.js';

it('Redis is said to be away once, and to be back once all was told to it, in turn', () => {
  const belief = new Belief(claimTiming(15_000), new ManualClock());
  expect([belief.lost(), belief.lost()]).toEqual([true, false]);
  // It goes again while it is told what it has missed.
  belief.returned();
  expect([belief.lost(), belief.shared()]).toEqual([false, false]);
  belief.returned();
  expect([belief.shared(), belief.shared(), belief.lost()]).toEqual([true, false, true]);
});
