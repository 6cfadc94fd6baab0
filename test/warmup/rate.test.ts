import { expect, test } from 'vitest';
import { createRate } from '../../src/warmup/rate.js';

test('stays at what was configured for ten seconds, then grows by a tenth of it every second', () => {
  const rate = createRate({ perSecond: 50, sinceMs: 1_000 });
  expect(rate.perSecond(1_000)).toBe(50);
  expect(rate.perSecond(11_000)).toBe(50);
  expect(rate.perSecond(21_000)).toBeCloseTo(100);
});

test('is halved at most once a second, never below one, and grows back evenly', () => {
  const rate = createRate({ perSecond: 40, sinceMs: 0 });
  expect(rate.cut(0)).toBe(true);
  expect(rate.cut(999)).toBe(false);
  expect(rate.perSecond(1_000)).toBeCloseTo(24, 5);
  expect(rate.perSecond(2_000)).toBeCloseTo(28, 5);
  for (let second = 3; second < 60; second++) rate.cut(second * 1_000);
  expect(rate.perSecond(59_000)).toBeGreaterThanOrEqual(1);
  expect(rate.perSecond(59_000)).toBeLessThan(10);
});

test('a long look ahead within the ramp does not exceed what was configured', () => {
  const rate = createRate({ perSecond: 40, sinceMs: 0 });
  rate.cut(0);
  expect(rate.perSecond(9_999)).toBe(40);
  expect(rate.perSecond(10_000)).toBe(40);
});
