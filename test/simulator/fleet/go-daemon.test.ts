import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../../src/rpc/status.js';
import { goDaemon } from '../../../src/simulator/fleet/go-daemon.js';
import { seedPeer } from '../../../src/simulator/fleet/seed-peer.js';
import { Harness } from './harness.js';
import { DATABASE_DEAD, eventually } from './stub-manager.js';

const MINUTE_MS = 60_000;
const TICK_MS = 10_000;

let harness: Harness;

beforeEach(async () => {
  harness = new Harness();
  await harness.manager.start();
});
afterEach(() => harness.stop());

/** Tick by tick: a tick that has nothing to do sets the next one before anything else happens. */
async function passTicks(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick++) await harness.pass(TICK_MS);
}

describe('A Go daemon', () => {
  it('checks health on a channel of its own, and asks v1 for schedulers every 10 min', async () => {
    const { manager } = await harness.start('go-daemon', goDaemon);
    await passTicks(59);
    expect(manager.seen.map(({ path }) => path)).toEqual([
      '/grpc.health.v1.Health/Check',
      '/manager.Manager/ListSchedulers',
    ]);
    await harness.pass(TICK_MS);
    expect(manager.count('ListSchedulers')).toBe(2);
    expect(manager.count('Check')).toBe(1);
    expect(manager.connections('Check', 'ListSchedulers')).toBe(2);
    expect(manager.seen.at(-1)?.fields.host_info).toEqual({ idc: 'idc-b', location: 'europe|de|fra' });
  });

  it('asks every 10 s when it fails, over a new connection for each health check', async () => {
    const { manager, counters } = await harness.start('go-daemon', goDaemon);
    await harness.idle();
    manager.react('ListSchedulers', DATABASE_DEAD);
    harness.clock.advance(9 * MINUTE_MS);
    // The list expires with the sixth of them.
    await passTicks(12);
    await eventually(() => counters.tallies.known.failed === 7);
    expect(manager.count('ListSchedulers')).toBe(1 + 7);
    // One at the start, none for the first failure, one before each of the following six.
    expect(manager.connections('Check')).toBe(1 + 6);
    expect(counters.exits['go-daemon'].known).toBe(0);
  });

  it.each([
    ['UNAVAILABLE', Code.UNAVAILABLE, 3],
    ['RESOURCE_EXHAUSTED', Code.RESOURCE_EXHAUSTED, 3],
    ['INTERNAL', Code.INTERNAL, 1],
    ['DEADLINE_EXCEEDED', Code.DEADLINE_EXCEEDED, 1],
  ] as const)(
    'meets %s: it asks %3$d times, 500 ms apart, and counts one failure',
    async (_name, code, tries) => {
      const { manager, counters, clock } = harness;
      await harness.start('go-daemon', goDaemon);
      await harness.idle();
      manager.react('ListSchedulers', { code });
      clock.advance(9 * MINUTE_MS);
      await harness.pass(MINUTE_MS);
      for (let asked = 2; asked <= tries; asked++) {
        await eventually(() => manager.count('ListSchedulers') === asked && clock.nextTimerInMs === 500);
        expect(counters.tallies.known.failed).toBe(0);
        clock.advance(500);
      }
      await eventually(() => counters.tallies.known.failed === 1);
      await harness.idle();
      expect(manager.count('ListSchedulers')).toBe(1 + tries);
      expect(clock.nextTimerInMs).toBe(TICK_MS);
    },
  );

  it('exits when the manager is not there at its start', async () => {
    harness.manager.stop();
    const { counters, lack } = await harness.start('go-daemon', goDaemon);
    await eventually(() => counters.exits['go-daemon'].known === 2);
    expect(counters.failuresByCode).toEqual({ UNAVAILABLE: 2 });
    expect(lack.lacking).toBe(true);
  });
});

describe('A seed peer', () => {
  it('registers, asks for schedulers and for its fellows, and beats every 5 s', async () => {
    const { manager } = await harness.start('seed-peer', seedPeer);
    await harness.idle(2);
    expect(manager.seen.map(({ path }) => path)).toEqual([
      '/grpc.health.v1.Health/Check',
      '/manager.Manager/UpdateSeedPeer',
      '/manager.Manager/ListSchedulers',
      '/manager.Manager/ListSeedPeers',
    ]);
    await harness.pass(5_000, 2);
    await eventually(() => manager.streams[0]?.messages.length === 1);
    expect(manager.streams[0]?.messages[0]).toMatchObject({
      source_type: 'SEED_PEER_SOURCE',
      hostname: 'seed-peer-00007',
      cluster_id: '1',
    });
  });

  it('exits when it cannot register', async () => {
    harness.manager.react('UpdateSeedPeer', DATABASE_DEAD);
    const { counters } = await harness.start('seed-peer', seedPeer);
    await eventually(() => counters.exits['seed-peer'].known === 2);
    expect(harness.manager.streams).toHaveLength(0);
  });
});
