import { describe, expect, it } from 'vitest';
import { Aftermath } from '../../src/downstream/aftermath.js';
import { createRecentlyCut } from '../../src/downstream/recently-cut.js';
import { ManualClock } from '../support/manual-clock.js';

function startAftermath() {
  const clock = new ManualClock();
  const recentlyCut = createRecentlyCut(clock);
  const garbage = {
    collected: 0,
    headers: () => undefined,
    streams: (count: number) => (garbage.collected += count),
  };
  const aftermath = new Aftermath({ address: '127.0.0.1', recentlyCut, garbage, clock });
  return { clock, aftermath, garbage, waitMs: () => recentlyCut.waitMs('127.0.0.1') };
}

describe('what comes of a connection that has to be cut off', () => {
  it('for a mistake depends on what it has sent of late, not ever', () => {
    const { clock, aftermath, garbage, waitMs } = startAftermath();
    for (let nth = 0; nth < 1_000; nth++) aftermath.stream();
    clock.advance(2_000);
    for (let nth = 0; nth < 20; nth++) aftermath.stream();
    aftermath.closed('protocol-error');
    expect([waitMs(), garbage.collected]).toEqual([25, 20]);
  });

  it('comes once, and before it has closed', () => {
    const { clock, aftermath, waitMs } = startAftermath();
    aftermath.condemned();
    clock.advance(400);
    aftermath.closed('limit');
    expect(waitMs()).toBe(100);
  });

  it('is nothing for one that was closed for another reason', () => {
    const { aftermath, garbage, waitMs } = startAftermath();
    aftermath.stream();
    aftermath.closed('client');
    expect([waitMs(), garbage.collected]).toEqual([0, 0]);
  });
});
