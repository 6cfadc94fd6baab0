import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rustDaemon } from '../../../src/simulator/fleet/rust-daemon.js';
import { Harness } from './harness.js';
import {
  DATABASE_DEAD,
  eventually,
  NO_SCHEDULER,
  NOT_SERVING,
  ONE_SCHEDULER,
  SERVING,
} from './stub-manager.js';

let harness: Harness;

beforeEach(async () => {
  harness = new Harness();
  await harness.manager.start();
});
afterEach(() => harness.stop());

describe('A Rust daemon', () => {
  it('asks for health on one connection and three times for schedulers on another', async () => {
    const { manager, lack } = await harness.start('rust-daemon', rustDaemon);
    await harness.idle();
    expect(manager.seen.map(({ path }) => path)).toEqual([
      '/grpc.health.v1.Health/Check',
      ...Array(3).fill('/manager.v2.Manager/ListSchedulers'),
    ]);
    expect(manager.connections('Check', 'ListSchedulers')).toBe(2);
    expect(manager.connections('ListSchedulers')).toBe(1);
    expect(lack.lacking).toBe(false);
  });

  it('says who and where it is, and leaves the cluster to the searcher', async () => {
    await harness.start('rust-daemon', rustDaemon);
    await harness.idle();
    expect(harness.manager.seen.at(-1)?.fields).toMatchObject({
      source_type: 'PEER_SOURCE',
      hostname: 'rust-daemon-00007',
      ip: '127.77.0.7',
      idc: 'idc-b',
      location: 'europe|de|fra',
      scheduler_cluster_id: '0',
    });
  });

  it('asks again every 60 s, on the connection it has', async () => {
    const { manager } = await harness.start('rust-daemon', rustDaemon);
    await harness.pass(59_999);
    expect(manager.count('ListSchedulers')).toBe(3);
    harness.clock.advance(1);
    await eventually(() => manager.count('ListSchedulers') === 4);
    await harness.pass(60_000);
    expect(manager.count('ListSchedulers')).toBe(5);
    expect(manager.connections('ListSchedulers')).toBe(1);
  });

  it.each([
    ['the first list fails, without asking twice', 'ListSchedulers', DATABASE_DEAD, 1],
    ['the list is empty', 'ListSchedulers', NO_SCHEDULER, 1],
    ['the manager does not serve', 'Check', NOT_SERVING, 0],
  ] as const)('exits when %s', async (_case, method, reaction, lists) => {
    const { manager, counters, lack } = harness;
    manager.react(method, reaction);
    await harness.start('rust-daemon', rustDaemon);
    // The first restart comes at once: two exits until the first wait.
    await harness.idle();
    await eventually(() => counters.exits['rust-daemon'].known === 2);
    expect(manager.count('ListSchedulers')).toBe(2 * lists);
    expect(harness.pod.state).toBe('back-off');
    expect(lack.lacking).toBe(true);
  });

  it('is restarted with a growing back-off until it comes up', async () => {
    const { manager, counters, lack, clock } = harness;
    manager.react('ListSchedulers', DATABASE_DEAD);
    await harness.start('rust-daemon', rustDaemon);
    await eventually(() => counters.exits['rust-daemon'].known === 2);
    const waits: (number | undefined)[] = [];
    for (let exits = 2; exits < 8; exits++) {
      await eventually(() => counters.exits['rust-daemon'].known === exits);
      await harness.idle();
      waits.push(clock.nextTimerInMs);
      if (exits === 7) manager.react('ListSchedulers', ONE_SCHEDULER);
      clock.advance(clock.nextTimerInMs ?? 0);
    }
    expect(waits).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000]);
    await eventually(() => !lack.lacking);
    expect(lack.longestMs).toBe(610_000);
    expect(harness.pod.state).toBe('running');
  });

  it('keeps its list when a later question fails, and goes on asking', async () => {
    const { manager, counters, lack } = await harness.start('rust-daemon', rustDaemon);
    await harness.idle();
    manager.react('ListSchedulers', DATABASE_DEAD);
    await harness.pass(60_000);
    await eventually(() => counters.tallies.known.failed === 1);
    expect(counters.failuresByCode).toEqual({ INTERNAL: 1 });
    expect(counters.exits['rust-daemon'].known).toBe(0);
    expect(lack.lacking).toBe(false);
    manager.react('ListSchedulers', ONE_SCHEDULER);
    await harness.pass(60_000);
    expect(manager.count('ListSchedulers')).toBe(5);
  });

  it('counts an empty list as neither answered nor failed', async () => {
    const { manager, counters } = await harness.start('rust-daemon', rustDaemon);
    await harness.idle();
    manager.react('ListSchedulers', NO_SCHEDULER);
    await harness.pass(60_000);
    await eventually(() => counters.tallies.known.empty === 1);
    expect(counters.tallies.known).toEqual({ answered: 4, empty: 1, failed: 0 });
  });

  it('starts over under the same name when it is rolled out', async () => {
    const { manager } = await harness.start('rust-daemon', rustDaemon);
    manager.react('Check', SERVING);
    await harness.idle();
    await harness.pod.replace();
    await eventually(() => manager.count('ListSchedulers') === 6);
    expect(
      new Set(
        manager.seen
          .slice(1)
          .map(({ fields }) => fields.hostname)
          .filter(Boolean),
      ),
    ).toEqual(new Set(['rust-daemon-00007']));
  });
});
