import { expect, it } from 'vitest';
import { Belief } from '../../../src/keepalive/claims/belief.js';
import type { ClaimDesk } from '../../../src/keepalive/claims/desk.js';
import { createLooking, type LookingOptions } from '../../../src/keepalive/claims/looking.js';
import { claimTiming } from '../../../src/keepalive/claims/timing.js';
import type { Clock } from '../../../src/rpc/clock.js';
import { ManualClock } from '../../support/manual-clock.js';

const LEASE_MS = 15_000;
const NOTHING = {
  wanted: [],
  reassert: [],
  watched: [],
  candidates: [],
  others: 0,
  remembers: false,
  generation: '',
  ageMs: 0,
};

/** A replica whose Redis answers everything, and what it was asked to renew. */
function looking() {
  const time = new ManualClock();
  let sleptMs = 0;
  const clock: Clock = {
    nowMs: () => time.nowMs() + sleptMs,
    wallMs: () => time.wallMs(),
    setTimer: (delayMs, fire) => time.setTimer(delayMs, fire),
  };
  const timing = claimTiming(LEASE_MS);
  const belief = new Belief(timing, clock);
  const renewals: { readonly lapsed: boolean }[] = [];
  const desk: Partial<ClaimDesk> = {
    claims: new Map(),
    exchange: { look: async () => NOTHING } as unknown as ClaimDesk['exchange'],
    timing,
    leaving: () => false,
    clock,
    emit: () => undefined,
  };
  const looking = createLooking({
    desk: desk as ClaimDesk,
    belief,
    giving: {
      tell: async () => undefined,
      tellAgain: async () => true,
      nobodyThere: () => undefined,
    } as LookingOptions['giving'],
    adopting: {} as LookingOptions['adopting'],
    renew: async (lapsed) => {
      renewals.push({ lapsed });
      return true;
    },
  });
  looking.start(Promise.resolve());
  return {
    timing,
    renewals,
    pass: (ms: number) => time.advanceAsync(ms),
    /** The process is stopped: time goes on, and timers ring when it runs again. */
    sleep: (ms: number) => {
      sleptMs += ms;
    },
  };
}

it('what was not renewed for a lease may have been another’s, however lately this replica has looked', async () => {
  const { timing, renewals, pass, sleep } = looking();
  await pass(timing.renewMs - timing.lookMs);
  expect(renewals).toEqual([{ lapsed: false }]);
  // Since the last look it is less than a lease.
  sleep(LEASE_MS - timing.renewMs + timing.lookMs);
  await pass(timing.lookMs);
  expect(renewals).toEqual([{ lapsed: false }, { lapsed: true }]);
});

it('what is renewed in time was nobody else’s', async () => {
  const { renewals, pass } = looking();
  await pass(10 * LEASE_MS);
  expect(renewals.length).toBeGreaterThan(20);
  expect(renewals.some(({ lapsed }) => lapsed)).toBe(false);
});
