import { describe, expect, it } from 'vitest';
import { ageConnections } from '../support/shield-ageing.js';
import { endure, endureStop, INACTIVE_MS, LINK_FAULTS } from '../support/shield-faults.js';

const TIME_FACTOR = 10;

describe.concurrent('once the manager is reachable again, live nodes are inactive for 1.5 s at most in all when', () => {
  for (const fault of LINK_FAULTS) {
    it(fault.name, async () => {
      const { afterMs, allowanceMs, story } = await endure(fault, TIME_FACTOR);
      expect(Math.max(...afterMs), story).toBeLessThanOrEqual(fault.limitMs + allowanceMs);
    }, 60_000);
  }

  it('its process is stopped for 60 s', async () => {
    const { afterMs, allowanceMs, story } = await endureStop(60_000, TIME_FACTOR);
    expect(Math.max(...afterMs), story).toBeLessThanOrEqual(INACTIVE_MS + allowanceMs);
  }, 60_000);
});

it.concurrent('a manager that ends every connection after 20 s costs a node 100 ms each time at the most', async () => {
  const { replacements, meanMs, longestMs, allowanceMs, streamsOpened } = await ageConnections(
    300_000,
    TIME_FACTOR,
  );
  // Every connection goes once in 20 s, 10 % sooner or later; in turn, so that a node may meet each or every other one.
  expect(streamsOpened).toBeGreaterThan(6 * 7);
  expect(replacements).toBeGreaterThan(6 * 6);
  expect(meanMs, `${longestMs} ms at the longest`).toBeLessThanOrEqual(100 + allowanceMs);
}, 60_000);
