import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createManagerRecord } from '../../src/simulator/manager/memory-record.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const DELETE = '/manager.v2.Manager/DeleteSeedPeer';
const SEED_PEERS = '/manager.v2.Manager/ListSeedPeers';
const NODES = Array.from({ length: 5 }, (_, n) => `sched-${n}`);

let dir: string;
let manager: SimulatedManager;
let running: RunningGateway;
let caller: Caller;

async function start(): Promise<void> {
  running = await startGateway({
    managers: [manager.address],
    sets: [
      `snapshot.dir=${dir}`,
      'cache.methods.ListSchedulers={ttl: 0s, swr: 0s, exactTtl: 0s}',
      'breaker.volumeThreshold=1000',
      'breaker.resetTimeout=100ms',
    ],
  });
  caller = await connectCaller(running.address);
}

beforeEach(async () => {
  dir = temporaryDirectory();
  const record = createManagerRecord();
  record.addCluster({ id: 1, name: 'cluster-1' });
  for (const hostname of NODES)
    record.addScheduler({ hostname, ip: '127.0.0.3', clusterId: 1, state: 'active' });
  manager = await startSimulatedManager({ record });
  await start();
  const list = requestOf(LIST, { hostname: 'daemon-x', ip: '127.0.0.2' });
  expect((await caller.call(LIST, list)).code).toBe(0);
});
afterEach(async () => {
  await caller.close();
  await running.gateway.stop();
  await manager.stop();
});

describe('nodes that were deleted on purpose', () => {
  const seedPeers = NODES.map((_, n) => ({ hostname: `seed-${n}`, ip: `127.0.0.${20 + n}`, clusterId: 1 }));
  const asSeedPeer = requestOf(SEED_PEERS, {
    source_type: 'SEED_PEER_SOURCE',
    hostname: 'seed-4',
    ip: '127.0.0.24',
  });
  const deletion = ({ hostname, ip }: { hostname: string; ip: string }): Buffer =>
    requestOf(DELETE, { source_type: 'SEED_PEER_SOURCE', hostname, ip, seed_peer_cluster_id: 1 });

  /** The manager comes back after a restart, and is looked at. */
  async function verdictAfterRestart(): Promise<string | undefined> {
    const { length } = running.events;
    await manager.stop();
    await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
    await manager.restart();
    const since = () => running.events.slice(length).map(({ kind }) => kind);
    await running.seen(() => since().includes('world-cleared') || since().includes('world-frozen'));
    return running.events.slice(length).find(({ kind }) => /^world-/.test(kind))?.kind;
  }

  beforeEach(async () => {
    for (const row of seedPeers) manager.record.addSeedPeer({ ...row, state: 'active' });
    manager.record.redis.clear();
    expect((await caller.call(SEED_PEERS, asSeedPeer)).code).toBe(0);
  });

  it('through the gateway, all but one of the seed peers, are no sign of another manager', async () => {
    for (const row of seedPeers.slice(1)) expect((await caller.call(DELETE, deletion(row))).code).toBe(0);
    expect(manager.record.seedPeers).toHaveLength(1);
    expect(await verdictAfterRestart()).toBe('world-cleared');
  });

  it('past the gateway, the newest of them, are: a backup from before them looks the same', async () => {
    for (const row of seedPeers.slice(1)) manager.record.deleteNode({ kind: 'seed-peer', ...row });
    expect(await verdictAfterRestart()).toBe('world-frozen');
  });

  it('in the console just before its restart, but for later ones, are no sign of it', async () => {
    for (const row of seedPeers.slice(0, 4)) manager.record.deleteNode({ kind: 'seed-peer', ...row });
    for (const hostname of NODES.slice(0, 3))
      manager.record.deleteNode({ kind: 'scheduler', clusterId: 1, hostname, ip: '127.0.0.3' });
    expect(await verdictAfterRestart()).toBe('world-cleared');
  });

  it('through a gateway in bypass, which reads nothing, are no sign of it', async () => {
    running.gateway.setMode('bypass');
    for (const row of seedPeers.slice(1)) expect((await caller.call(DELETE, deletion(row))).code).toBe(0);
    running.gateway.setMode('answer');
    expect(await verdictAfterRestart()).toBe('world-cleared');
  });

  it('and a gateway that starts anew since, with what it remembers of them, finds no sign of it', async () => {
    for (const row of seedPeers.slice(2)) expect((await caller.call(DELETE, deletion(row))).code).toBe(0);
    await caller.close();
    await running.gateway.stop();
    await start();
    await running.seen(({ kind }) => kind === 'world-cleared' || kind === 'world-frozen');
    expect(running.events.some(({ kind }) => kind === 'world-frozen')).toBe(false);
  });
});
