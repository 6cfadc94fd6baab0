import { afterEach, describe, expect, it } from 'vitest';
import { seedFromRecordings } from '../../../src/simulator/manager/recorded-rows.js';
import {
  type SimulatedManager,
  type SimulatedManagerOptions,
  startSimulatedManager,
} from '../../../src/simulator/manager/simulated-manager.js';
import { ManualClock } from '../../support/manual-clock.js';
import { ask, getScheduler, HEALTH, hostnames, listSchedulers, V1, V2 } from './questions.js';
import { RawClient } from './raw-client.js';

const MINUTE_MS = 60_000;
const SCHED_A = { kind: 'scheduler', clusterId: 1, hostname: 'sched-a', ip: '10.1.0.1' } as const;

const running: { stop(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

async function start(
  options: SimulatedManagerOptions = {},
): Promise<{ manager: SimulatedManager; client: RawClient }> {
  const manager = await startSimulatedManager(options);
  const client = new RawClient(manager.address);
  running.push(manager, { stop: () => client.close() });
  return { manager, client };
}

describe('the caches of a manager', () => {
  it('keep a searcher list for 5 minutes from the first asking, per caller, whatever becomes of the rows', async () => {
    const clock = new ManualClock();
    const { manager, client } = await start({ clock });
    expect(hostnames(await listSchedulers(client))).toEqual(['sched-a', 'sched-b']);
    manager.record.setState(SCHED_A, 'inactive', 'seeded');
    clock.advance(31_000);
    expect(hostnames(await listSchedulers(client))).toEqual(['sched-a', 'sched-b']);
    expect(hostnames(await listSchedulers(client, { hostname: 'other' }))).toEqual(['sched-b']);
    clock.advance(5 * MINUTE_MS);
    expect(hostnames(await listSchedulers(client))).toEqual(['sched-b']);
  });

  it('pass ten times as fast with a time factor of ten', async () => {
    const clock = new ManualClock();
    const { manager, client } = await start({ clock, timeFactor: 10 });
    await listSchedulers(client);
    manager.record.setState(SCHED_A, 'inactive', 'seeded');
    clock.advance(MINUTE_MS / 2 + 1);
    expect(hostnames(await listSchedulers(client))).toEqual(['sched-b']);
  });

  it('show a list of up to 8 minutes when a process finds it in Redis just before it expires there', async () => {
    const clock = new ManualClock();
    const record = seedFromRecordings({ clock });
    const first = await start({ clock, record });
    const second = await start({ clock, record });
    await listSchedulers(first.client);
    record.setState(SCHED_A, 'inactive', 'seeded');
    clock.advance(5 * MINUTE_MS - 1);
    expect(hostnames(await listSchedulers(second.client))).toEqual(['sched-a', 'sched-b']);
    clock.advance(3 * MINUTE_MS - 1);
    expect(hostnames(await listSchedulers(second.client))).toEqual(['sched-a', 'sched-b']);
    clock.advance(2);
    expect(hostnames(await listSchedulers(second.client))).toEqual(['sched-b']);
  });

  it('never keep an empty list, nor "application not found"', async () => {
    const { manager, client } = await start({ clock: new ManualClock(), version: 'v2.1.55' });
    for (const row of manager.record.schedulers)
      manager.record.setState({ kind: 'scheduler', ...row }, 'inactive', 'seeded');
    expect(hostnames(await listSchedulers(client))).toEqual([]);
    manager.record.setState(SCHED_A, 'active', 'seeded');
    expect(hostnames(await listSchedulers(client))).toEqual(['sched-a']);
    const applications = manager.record.applications;
    manager.record.applications = [];
    const list = () => ask(client, `${V2}/ListApplications`, { hostname: 'h', ip: '10.0.0.1' });
    expect(await list()).toMatchObject({ code: 5, message: 'application not found' });
    manager.record.applications = applications;
    expect((await list()).code).toBe(0);
  });

  it('know GetScheduler by ip too, though the oldest row of the hostname is the answer', async () => {
    const { manager, client } = await start({ clock: new ManualClock(), version: 'v2.1.55' });
    manager.record.addScheduler({ hostname: 'sched-a', ip: '10.1.0.77', clusterId: 1, state: 'active' });
    expect((await getScheduler(client, { ip: '10.1.0.77' })).answer).toMatchObject({
      ip: '10.1.0.1',
      state: 'active',
    });
    manager.record.setState(SCHED_A, 'inactive', 'seeded');
    expect((await getScheduler(client, { ip: '10.1.0.77' })).answer.state).toBe('active');
    expect((await getScheduler(client)).answer.state).toBe('inactive');
  });
});

describe('the versions', () => {
  it('v2.5.1 lists a cluster with its inactive schedulers; v2.1.55 does not know the field', async () => {
    for (const [version, expected] of [
      ['v2.5.1', ['sched-a', 'sched-b']],
      ['v2.1.55', ['sched-b', 'elsewhere']],
    ] as const) {
      const { manager, client } = await start({ version });
      const other = manager.record.addCluster({ name: 'other' });
      manager.record.addScheduler({
        hostname: 'elsewhere',
        ip: '10.9.0.1',
        clusterId: other,
        state: 'active',
      });
      manager.record.setState(SCHED_A, 'inactive', 'seeded');
      const told = await listSchedulers(client, { scheduler_cluster_id: 1 });
      expect(hostnames(told)).toEqual(expected);
      const [first] = told.answer.schedulers as { scheduler_cluster: unknown }[];
      expect(first?.scheduler_cluster === null).toBe(version === 'v2.1.55');
    }
  });

  it('only v2.1.55 has object storage, models and certificates', async () => {
    const oldOne = await start({ version: 'v2.1.55' });
    const caller = { hostname: 'h', ip: '10.0.0.1' };
    const buckets = () => ask(oldOne.client, `${V1}/ListBuckets`, caller);
    expect(await buckets()).toMatchObject({ code: 13, message: 'object storage is disabled' });
    oldOne.manager.record.objectStorage = {
      name: 's3',
      region: 'r',
      endpoint: 'e',
      accessKey: 'a',
      secretKey: 's',
      s3ForcePathStyle: true,
      scheme: 'http',
      buckets: ['models'],
    };
    expect((await buckets()).answer).toEqual({ buckets: [{ name: 'models' }] });
    expect((await ask(oldOne.client, `${V1}/CreateModel`, caller)).code).toBe(0);
    const issue = '/security.Certificate/IssueCertificate';
    expect((await ask(oldOne.client, issue, {})).code).toBe(0);
    const newOne = await start();
    expect(await ask(newOne.client, `${V1}/CreateModel`, caller)).toMatchObject({
      code: 12,
      message: 'unknown method CreateModel for service manager.Manager',
    });
    expect(await ask(newOne.client, issue, {})).toMatchObject({
      code: 12,
      message: 'unknown service security.Certificate',
    });
  });

  it('v2.5.1 sweeps silent schedulers and long inactive rows every hour, and lets active seed peers live for ever', async () => {
    const clock = new ManualClock();
    const { manager } = await start({ clock });
    await clock.advanceAsync(60 * MINUTE_MS);
    expect(manager.record.schedulers.map(({ state }) => state)).toEqual(['inactive', 'inactive']);
    await clock.advanceAsync(60 * MINUTE_MS);
    expect(manager.record.schedulers).toEqual([]);
    expect(manager.record.seedPeers).toMatchObject([{ hostname: 'seed-a', state: 'active' }]);
    expect(manager.record.stateHistory(SCHED_A).map(({ cause }) => cause)).toEqual([
      'registered',
      'sweep',
      'deleted',
    ]);
  });

  it('say SERVING in Check and in a Watch that stays open', async () => {
    const { manager, client } = await start();
    expect((await ask(client, `${HEALTH}/Check`, {})).answer).toEqual({ status: 'SERVING' });
    expect((await ask(client, `${HEALTH}/Check`, { service: 'x' })).code).toBe(5);
    const watch = client.open(`${HEALTH}/Watch`);
    watch.send(Buffer.alloc(0));
    watch.halfClose();
    await expect.poll(() => watch.messages.length).toBe(1);
    expect(manager.stats.callsOpen).toBe(1);
    watch.cancel();
    await expect.poll(() => manager.stats.callsOpen).toBe(0);
  });
});
