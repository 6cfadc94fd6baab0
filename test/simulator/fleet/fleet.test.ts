import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../../src/simulator/fleet/fleet.js';
import { ManualClock } from '../../support/manual-clock.js';
import { DATABASE_DEAD, eventually, StubManager } from './stub-manager.js';

const SIZES = { daemons: 6, goDaemons: 3, schedulers: 2, seedPeers: 1 };

let manager: StubManager;
let clock: ManualClock;
let fleet: Fleet;

beforeEach(async () => {
  manager = await new StubManager().start();
  clock = new ManualClock();
});
afterEach(async () => {
  await fleet.stop();
  manager.stop();
});

function start(): Fleet {
  fleet = startFleet({ managerAddress: manager.address, ...SIZES, timeFactor: 1, seed: 7, clock });
  return fleet;
}

/** Everybody has come up: 20 s of head start for the schedulers, then 30 s for the daemons. */
async function allUp(): Promise<void> {
  await eventually(() => manager.count('ListApplications') === 2);
  await clock.advanceAsync(50_000);
  await eventually(() => fleet.stats().daemons.running === 10);
  await eventually(() => fleet.stats().daemonsWithoutSchedulers === 0);
}

const hostnames = (): unknown[] => [
  ...new Set(manager.seen.map(({ fields }) => fields.hostname).filter((name) => name !== undefined)),
];

describe('A fleet', () => {
  it('counts from anew when it is told that its start is over', async () => {
    start();
    await allUp();
    fleet.resetStats();
    expect(fleet.stats().calls.known).toEqual({ answered: 0, empty: 0, failed: 0 });
    expect(fleet.stats().longestWithoutSchedulersMs.known).toBe(0);
    manager.react('ListSchedulers', DATABASE_DEAD);
    await clock.advanceAsync(60_000);
    await eventually(() => fleet.stats().calls.known.failed >= SIZES.daemons);
  });

  it('is made of nodes with names and loopback addresses of their own', async () => {
    start();
    await allUp();
    expect(hostnames()).toHaveLength(12);
    const ips = new Set(manager.seen.map(({ fields }) => fields.ip).filter((ip) => ip !== undefined));
    expect(ips.size).toBe(12);
    for (const ip of ips) expect(ip).toMatch(/^127\./);
  });

  it('counts what its callers were told', async () => {
    start();
    await allUp();
    await eventually(() => fleet.stats().schedulersConfigured === 2);
    const { calls, daemonExits, daemons, longestWithoutConfigurationMs } = fleet.stats();
    expect(calls.known.failed).toBe(0);
    expect(calls.cold).toEqual({ answered: 0, empty: 0, failed: 0 });
    expect(daemonExits).toEqual({ known: 0, cold: 0 });
    expect(daemons.running).toBe(10);
    expect(longestWithoutConfigurationMs).toBe(0);
  });

  it('counts daemons that join during an outage apart from those that were known', async () => {
    start();
    await allUp();
    manager.react('ListSchedulers', DATABASE_DEAD);
    fleet.join(2);
    await eventually(() => fleet.stats().daemonExits.cold === 4);
    expect(fleet.stats().daemonExits.known).toBe(0);
    expect(fleet.stats().calls.cold.failed).toBe(4);
  });

  it('lets daemons join one after the other, each from a place of its own', async () => {
    start();
    await allUp();
    manager.seen.length = 0;
    fleet.join(4, { overMs: 2_000, ownPlaces: true });
    const places = (): Set<string> =>
      new Set(
        manager.seen
          .filter(({ path }) => path.endsWith('/ListSchedulers'))
          .map(({ fields: { idc, location } }) => `${idc} ${location}`),
      );
    for (let joined = 1; joined <= 4; joined++) {
      await eventually(() => fleet.stats().calls.cold.answered === joined * 4);
      expect(places().size).toBe(joined);
      await clock.advanceAsync(500);
    }
  });

  it('rolls daemons out one by one, the next ones each time, under the names they had', async () => {
    start();
    await allUp();
    const before = hostnames();
    manager.seen.length = 0;
    const started = (): number => {
      const lists = manager.seen.filter(({ path }) => path === '/manager.v2.Manager/ListSchedulers');
      const names = lists.map(({ fields }) => fields.hostname);
      // Three lists belong to a start; a poll is a single one.
      return new Set(names.filter((name) => names.filter((other) => other === name).length >= 3)).size;
    };
    const first = fleet.rollOut(2);
    await eventually(() => started() === 1);
    await clock.advanceAsync(1_000);
    await eventually(() => started() === 2);
    await clock.advanceAsync(1_000);
    await first;
    const second = fleet.rollOut(1);
    await eventually(() => started() === 3);
    await clock.advanceAsync(1_000);
    await second;
    expect(before).toEqual(expect.arrayContaining(hostnames()));
  });

  it('is the same fleet for the same seed', async () => {
    start();
    await allUp();
    const described = () =>
      new Set(
        manager.seen.map(({ fields: { hostname, idc, location } }) => `${hostname} ${idc} ${location}`),
      );
    const first = described();
    await fleet.stop();
    manager.seen.length = 0;
    clock = new ManualClock();
    start();
    await allUp();
    expect(described()).toEqual(first);
  });

  it('leaves nothing behind when it stops, not even in the middle of a rollout', async () => {
    start();
    await allUp();
    const rolling = fleet.rollOut(3);
    await fleet.stop();
    await rolling;
    expect(clock.pendingTimers).toBe(0);
    expect(fleet.stats().daemons).toMatchObject({ running: 0, stopped: 10 });
  });
});
