import { setTimeout as later } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createManagerRecord } from '../../src/simulator/manager/memory-record.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Called, type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const at = (method: string): string => `/manager.v2.Manager/${method}`;
const asked = (method: string, fields: object): readonly [string, Buffer] => [
  at(method),
  requestOf(at(method), fields),
];
const SCHEDULER = { source_type: 'SCHEDULER_SOURCE', hostname: 'sched-0', ip: '127.0.0.10' };
const SEED_PEER = { source_type: 'SEED_PEER_SOURCE', hostname: 'seed-0', ip: '127.0.0.20' };
const READS = [
  asked('ListSchedulers', { source_type: 'PEER_SOURCE', hostname: 'daemon', ip: '127.0.0.30' }),
  asked('ListSchedulers', {
    source_type: 'PEER_SOURCE',
    hostname: 'd',
    ip: '127.0.0.31',
    scheduler_cluster_id: 1,
  }),
  asked('GetScheduler', { ...SCHEDULER, scheduler_cluster_id: 1 }),
  asked('GetSeedPeer', { ...SEED_PEER, seed_peer_cluster_id: 1 }),
  asked('ListSeedPeers', SEED_PEER),
  asked('ListApplications', SCHEDULER),
];
const REGISTRATIONS = [
  asked('UpdateScheduler', { ...SCHEDULER, port: 8002, scheduler_cluster_id: 1 }),
  asked('UpdateSeedPeer', { ...SEED_PEER, port: 65_006, seed_peer_cluster_id: 1 }),
];
const REFUSED = [
  asked('UpdateScheduler', { ...SCHEDULER, hostname: 'new', port: 8002, scheduler_cluster_id: 1 }),
  asked('DeleteSeedPeer', { ...SEED_PEER, seed_peer_cluster_id: 1 }),
];

let redis: RedisProcess;
let manager: SimulatedManager;
let gateways: GatewayProcess[];
let callers: Caller[];

beforeEach(async () => {
  [gateways, callers] = [[], []];
  const record = createManagerRecord();
  record.addCluster({ id: 1, name: 'cluster-1' });
  for (let n = 0; n < 5; n++) {
    record.addScheduler({ hostname: `sched-${n}`, ip: `127.0.0.1${n}`, clusterId: 1, state: 'active' });
    record.addSeedPeer({ hostname: `seed-${n}`, ip: `127.0.0.2${n}`, clusterId: 1, state: 'active' });
  }
  [redis, manager] = await Promise.all([startRedis(), startSimulatedManager({ record })]);
});
afterEach(async () => {
  await Promise.all(callers.map((caller) => caller.close()));
  for (const { child } of gateways) child.kill('SIGKILL');
  await Promise.all(gateways.map(({ exited }) => exited));
  await Promise.all([manager.stop(), redis.stop()]);
});

async function start(dir: string): Promise<{ gateway: GatewayProcess; caller: Caller; admin: string }> {
  const sets = [
    'server.listen=127.0.0.1:0',
    'metrics.addr=127.0.0.1:0',
    'admin.addr=127.0.0.1:0',
    'admin.token=s3cret',
    'fleet.id=f1',
    `managers.addrs=["${manager.address}"]`,
    `redis.addrs=["${redis.address}"]`,
    'redis.timeout=1s',
    `snapshot.dir=${dir}`,
    'snapshot.interval=50ms',
    'log.level=debug',
    // Nothing is fresh: whatever is there to be taken is asked for.
    ...['ListSchedulers', 'GetScheduler', 'GetSeedPeer', 'ListSeedPeers', 'ListApplications'].map(
      (method) => `cache.methods.${method}={ttl: 0s, swr: 0s}`,
    ),
    'breaker.volumeThreshold=100000',
  ];
  const gateway = runGateway(['serve', ...sets.flatMap((set) => ['--set', set])]);
  gateways.push(gateway);
  const { listen, admin } = (await gateway.line({ event: 'started' })) as Record<string, string>;
  const caller = await connectCaller(listen as string);
  callers.push(caller);
  return { gateway, caller, admin: admin as string };
}

const all = (caller: Caller, calls: readonly (readonly [string, Buffer])[]): Promise<Called[]> =>
  Promise.all(calls.map(([path, request]) => caller.call(path, request)));
const said = (called: readonly Called[]) =>
  called.map(({ code, message, response }) => [code, code === 0 ? response : message]);

it('an empty database in the manager’s place wipes nothing, in memory, on disk and in Redis, and is filled with nothing until accepted', async () => {
  const dir = temporaryDirectory();
  const first = await start(dir);
  await first.gateway.line({ event: 'address-state-changed', to: 'healthy' });
  const before = said(await all(first.caller, READS));
  expect(said(await all(first.caller, REGISTRATIONS)).map(([code]) => code)).toEqual([0, 0]);
  expect(said(await all(first.caller, READS)).map(([code]) => code)).toEqual(before.map(([code]) => code));
  const ours = said(await all(first.caller, READS));

  const { port } = manager;
  await manager.stop();
  await first.gateway.line({ event: 'address-state-changed', to: 'failed' });
  const record = createManagerRecord();
  manager = await startSimulatedManager({ record, port });
  const rows = () => [record.schedulerClusters.length, record.schedulers.length, record.seedPeers.length];

  /** What a gateway says while it does not take this manager, again and again. */
  const keepsOurs = async (caller: Caller): Promise<void> => {
    for (let times = 0; times < 5; times++) expect(said(await all(caller, READS))).toEqual(ours);
  };
  let isFrozen = false;
  void first.gateway.line({ event: 'world-frozen' }).then(() => {
    isFrozen = true;
  });
  while (!isFrozen) await keepsOurs(first.caller);
  await keepsOurs(first.caller);
  const journaled = await all(first.caller, REGISTRATIONS);
  expect(journaled.map(({ trailers }) => trailers['x-dfmgw-write'])).toEqual(['journaled', 'journaled']);
  expect(said(await all(first.caller, REFUSED)).map(([code]) => code)).toEqual([14, 14]);

  // What was on the disk is there for a gateway that comes after a kill -9, and what was in Redis for one without a disk.
  await first.caller.close();
  first.gateway.child.kill('SIGKILL');
  await first.gateway.exited;
  const second = await start(dir);
  await keepsOurs(second.caller);
  await second.gateway.line({ event: 'world-frozen' });
  await keepsOurs(second.caller);
  const replica = await start('');
  await replica.gateway.line({ event: 'world-frozen' });
  await keepsOurs(replica.caller);
  expect(rows()).toEqual([0, 0, 0]);

  const accepted = await fetch(`http://${second.admin}/api/accept-manager`, {
    method: 'POST',
    headers: { authorization: 'Bearer s3cret' },
  });
  expect(accepted.status).toBe(200);
  while (rows()[1] === 0) await later(20);
  expect(record.schedulers.map(({ hostname }) => hostname)).toEqual(['sched-0']);
}, 120_000);
