import { describe, expect, it } from 'vitest';
import { ageConnections } from '../../support/shield-ageing.js';
import { endure, endureStop, INACTIVE_MS, LINK_FAULTS } from '../../support/shield-faults.js';

/** As in the fleet's life: test/promises/keep-alive-links at a tenth of its speed. */
const REAL_TIME = 1;
const LIMIT_MS = 600_000;

describe.concurrent('in real time, once the manager is reachable again, live nodes are inactive for 1.5 s at most in all when', () => {
  for (const fault of LINK_FAULTS) {
    it(
      fault.name,
      async () => {
        const { afterMs, allowanceMs, story } = await endure(fault, REAL_TIME);
        process.stdout.write(`${fault.name}: ${Math.round(Math.max(...afterMs))} ms at the most\n`);
        expect(Math.max(...afterMs), story).toBeLessThanOrEqual(fault.limitMs + allowanceMs);
      },
      LIMIT_MS,
    );
  }

  it(
    'its process is stopped for 60 s',
    async () => {
      const { afterMs, allowanceMs, story } = await endureStop(60_000, REAL_TIME);
      process.stdout.write(
        `the process is stopped for 60 s: ${Math.round(Math.max(...afterMs))} ms at the most\n`,
      );
      expect(Math.max(...afterMs), story).toBeLessThanOrEqual(INACTIVE_MS + allowanceMs);
    },
    LIMIT_MS,
  );
});

it.concurrent(
  'in real time, a manager that ends every connection after 20 s costs a node 100 ms each time at the most',
  async () => {
    const { replacements, meanMs, longestMs, allowanceMs } = await ageConnections(300_000, REAL_TIME);
    process.stdout.write(
      `${replacements} replacements: ${meanMs.toFixed(1)} ms on average, ${longestMs.toFixed(1)} ms at the most\n`,
    );
    expect(replacements).toBeGreaterThan(6 * 6);
    expect(longestMs).toBeLessThanOrEqual(100 + allowanceMs);
  },
  LIMIT_MS,
);
