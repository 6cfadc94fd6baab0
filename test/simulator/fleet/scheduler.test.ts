import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../../src/rpc/status.js';
import { scheduler } from '../../../src/simulator/fleet/scheduler.js';
import { Harness } from './harness.js';
import { DATABASE_DEAD, eventually } from './stub-manager.js';

const BEAT_MS = 5_000;

let harness: Harness;

beforeEach(async () => {
  harness = new Harness();
  await harness.manager.start();
});
afterEach(() => harness.stop());

/** One timer for the configuration, one for the beat. */
const beats = async (count: number): Promise<void> => {
  for (let beat = 0; beat < count; beat++) await harness.pass(BEAT_MS, 2);
};

const streamCount = (count: number) => eventually(() => harness.manager.streams.length === count);

describe('A scheduler', () => {
  it('registers, then takes a new copy of its configuration every 60 s', async () => {
    const { manager, lack } = await harness.start('scheduler', scheduler);
    await harness.idle(2);
    expect(manager.seen.map(({ method }) => method)).toEqual([
      'UpdateScheduler',
      'GetScheduler',
      'ListApplications',
    ]);
    await beats(11);
    expect(manager.count('GetScheduler')).toBe(1);
    await beats(1);
    expect(manager.count('GetScheduler')).toBe(2);
    expect(manager.count('ListApplications')).toBe(2);
    expect(lack.lacking).toBe(false);
  });

  it('exits when it cannot register', async () => {
    harness.manager.react('UpdateScheduler', DATABASE_DEAD);
    const { manager, counters } = await harness.start('scheduler', scheduler);
    await eventually(() => counters.exits.scheduler.known === 2);
    expect(manager.count('GetScheduler')).toBe(0);
  });

  it('is without configuration from 60 s after the last good answer until the next one', async () => {
    const { manager, lack, counters } = await harness.start('scheduler', scheduler);
    await harness.idle(2);
    manager.react('GetScheduler', DATABASE_DEAD);
    await beats(12);
    expect(lack.lacking).toBe(true);
    expect(lack.longestMs).toBe(0);
    await beats(4);
    await eventually(() => counters.tallies.known.failed === 5);
    expect(lack.longestMs).toBe(20_000);
    manager.react('GetScheduler', { fields: {} });
    await beats(1);
    await eventually(() => !lack.lacking);
    expect(lack.longestMs).toBe(25_000);
  });

  it('is without configuration too when only its applications cannot be read', async () => {
    const { manager, lack } = await harness.start('scheduler', scheduler);
    await harness.idle(2);
    manager.react('ListApplications', DATABASE_DEAD);
    await beats(12);
    expect(lack.lacking).toBe(true);
  });

  it('sends the first message of a stream one interval after opening it', async () => {
    const { manager } = await harness.start('scheduler', scheduler);
    await harness.idle(2);
    await streamCount(1);
    expect(manager.streams[0]?.messages).toHaveLength(0);
    await beats(1);
    await eventually(() => manager.streams[0]?.messages.length === 1);
    await beats(1);
    await eventually(() => manager.streams[0]?.messages.length === 2);
    expect(manager.streams).toHaveLength(1);
  });

  it('opens a broken stream again at its next tick, and is silent for one interval more', async () => {
    const { manager, counters } = await harness.start('scheduler', scheduler);
    await harness.idle(2);
    await streamCount(1);
    manager.streams[0]?.stream.emit('error', { code: Code.UNAVAILABLE, details: 'gone' });
    // When the end has arrived is not to be seen from here: ticks pass until one has noticed.
    while (counters.streams.broken === 0) await beats(1);
    await streamCount(2);
    expect(manager.streams[1]?.messages).toHaveLength(0);
    await beats(1);
    await eventually(() => manager.streams[1]?.messages.length === 1);
    expect(counters.streams).toEqual({ opened: 2, broken: 1 });
  });

  it('never comes back once its stream was ended with CANCELLED', async () => {
    const { manager, counters } = await harness.start('scheduler', scheduler);
    await harness.idle(2);
    await streamCount(1);
    manager.streams[0]?.stream.emit('error', { code: Code.CANCELLED, details: 'go away' });
    while (counters.streams.broken === 0) {
      await eventually(() => harness.clock.pendingTimers > 0);
      await harness.clock.advanceAsync(BEAT_MS);
    }
    await harness.idle(1);
    await harness.clock.advanceAsync(10 * BEAT_MS);
    expect(manager.streams).toHaveLength(1);
  });
});
