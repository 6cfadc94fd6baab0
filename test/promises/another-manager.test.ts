import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GatewayEvent } from '../../src/observe/events.js';
import type { ManagerRecord } from '../../src/simulator/manager/manager-record.js';
import { createManagerRecord } from '../../src/simulator/manager/memory-record.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Called, type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const GET = '/manager.v2.Manager/GetScheduler';
const UPDATE = '/manager.v2.Manager/UpdateScheduler';
const list = requestOf(LIST, { hostname: 'daemon-x', ip: '127.0.0.2' });
const NODES = Array.from({ length: 5 }, (_, n) => `sched-${n}`);
const update = (hostname: string): Buffer =>
  requestOf(UPDATE, { hostname, ip: '127.0.0.3', port: 8002, scheduler_cluster_id: '1' });

let dir: string;
let manager: SimulatedManager;
let running: RunningGateway;
let caller: Caller;
let warm: Called;

function worldOf(
  cluster: { id: number; name: string } | undefined,
  hostnames: readonly string[],
  clock?: ManualClock,
): ManagerRecord {
  const record = createManagerRecord(clock);
  if (cluster === undefined) return record;
  record.addCluster(cluster);
  for (const hostname of hostnames) {
    record.addScheduler({ hostname, ip: '127.0.0.3', clusterId: cluster.id, state: 'active' });
  }
  return record;
}

async function start(sets: readonly string[] = [], clock?: ManualClock): Promise<void> {
  running = await startGateway({
    managers: [manager.address],
    ...(clock && { clock }),
    sets: [
      ...sets,
      `snapshot.dir=${dir}`,
      'admin.enable=true',
      'admin.addr=127.0.0.1:0',
      'admin.token=s3cret',
      'cache.methods.ListSchedulers={ttl: 0s, swr: 0s, exactTtl: 0s}',
      'breaker.volumeThreshold=1000',
      'breaker.resetTimeout=100ms',
    ],
  });
  caller = await connectCaller(running.address);
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dfmgw-world-'));
  manager = await startSimulatedManager({ record: worldOf({ id: 1, name: 'cluster-1' }, NODES) });
  await start();
  warm = await caller.call(LIST, list);
  expect(warm.code).toBe(0);
  expect((await caller.call(UPDATE, update('sched-0'))).code).toBe(0);
});
afterEach(async () => {
  await caller.close();
  await running.gateway.stop();
  await manager.stop();
  rmSync(dir, { recursive: true });
});

/** A manager with these rows, on the address of the one before. */
async function replaceManager(record: ManagerRecord): Promise<void> {
  const { port } = manager;
  await manager.stop();
  await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
  manager = await startSimulatedManager({ record, port });
}

const frozen = (): Promise<unknown> => running.seen(({ kind }) => kind === 'world-frozen');
const accept = (headers: Record<string, string>, method = 'POST'): Promise<Response> =>
  fetch(`http://127.0.0.1:${running.bound.admin?.port}/api/accept-manager`, { method, headers });

const OTHERS = [
  ['an empty database', undefined, []],
  ['a cluster of another name', { id: 1, name: 'elsewhere' }, NODES],
  ['a cluster of another id', { id: 9, name: 'cluster-1' }, NODES],
  ['other nodes in a cluster of the same name', { id: 1, name: 'cluster-1' }, ['a', 'b', 'c', 'd', 'e']],
  ['two fifths of the nodes gone', { id: 1, name: 'cluster-1' }, NODES.slice(0, 3)],
] as const;

describe('another manager in the place of ours', () => {
  it.each(OTHERS)(
    'with %s wipes nothing, and is filled with nothing, until accepted',
    async (_, cluster, nodes) => {
      const journaled = manager.stop().then(async () => {
        await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
        return caller.call(UPDATE, update('sched-0'));
      });
      expect((await journaled).trailers['x-dfmgw-write']).toBe('journaled');
      const other = worldOf(cluster, nodes);
      manager = await startSimulatedManager({ record: other, port: manager.port });
      const rowsBefore = other.schedulers.length;

      // Callers come and go meanwhile, and each has the answer of the world that was.
      let done = false;
      void frozen().then(() => {
        done = true;
      });
      do {
        const answer = await caller.call(LIST, list);
        expect([answer.code, answer.response]).toEqual([0, warm.response]);
      } while (!done);
      for (let time = 0; time < 3; time++) {
        expect((await caller.call(LIST, list)).response).toEqual(warm.response);
      }
      expect((await caller.call(UPDATE, update('sched-0'))).trailers['x-dfmgw-write']).toBe('journaled');
      expect((await caller.call(UPDATE, update('stranger'))).code).toBe(14);
      const unknown = requestOf(GET, { hostname: 'nobody', ip: '127.0.0.1', scheduler_cluster_id: '1' });
      expect((await caller.call(GET, unknown)).message).toContain('this looks like another manager');
      expect(other.schedulers).toHaveLength(rowsBefore);
      expect(running.events.some(({ kind }) => kind === 'registration-replayed')).toBe(false);

      expect((await accept({ authorization: 'Bearer s3cret' })).status).toBe(200);
      await running.seen(({ kind }) => kind === 'registration-replayed');
      let answer: Called;
      do answer = await caller.call(LIST, list);
      while (answer.response?.equals(warm.response as Buffer));
      expect(answer.trailers['x-dfmgw-cache']).toBe('miss');
      expect((await accept({ authorization: 'Bearer s3cret' })).status).toBe(409);
    },
  );

  it('is found out before anything is made up for, even by a gateway that has just started', async () => {
    await manager.stop();
    await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
    expect((await caller.call(UPDATE, update('sched-0'))).trailers['x-dfmgw-write']).toBe('journaled');
    await caller.close();
    await running.gateway.stop();
    const other = worldOf(undefined, []);
    manager = await startSimulatedManager({ record: other, port: manager.port });
    await start();
    await frozen();
    expect((await caller.call(LIST, list)).response).toEqual(warm.response);
    expect(other.schedulers).toHaveLength(0);
  });

  it('stays accepted over a restart of the gateway', async () => {
    for (const hostname of NODES) {
      const own = requestOf(GET, { hostname, ip: '127.0.0.3', scheduler_cluster_id: '1' });
      expect((await caller.call(GET, own)).code).toBe(0);
    }
    await replaceManager(worldOf({ id: 1, name: 'elsewhere' }, ['a', 'b', 'c']));
    await frozen();
    expect((await accept({ authorization: 'Bearer s3cret' })).status).toBe(200);
    const other = requestOf(LIST, { hostname: 'daemon-y', ip: '127.0.0.4' });
    const accepted = running.events.length;
    // What was asked for before the acceptance is given, and not kept.
    do expect((await caller.call(LIST, other)).code).toBe(0);
    while (
      !running.events
        .slice(accepted)
        .some((event) => event.kind === 'cache-stored' && event.method.endsWith('/ListSchedulers'))
    );
    await caller.close();
    await running.gateway.stop();
    await start();
    expect((await caller.call(LIST, other)).code).toBe(0);
    await running.seen(({ kind }) => kind === 'world-cleared' || kind === 'world-frozen');
    expect(running.events.some(({ kind }) => kind === 'world-frozen')).toBe(false);
  });

  it('gives way to our own when that is back', async () => {
    const ours = manager.record;
    await replaceManager(worldOf(undefined, []));
    await frozen();
    const { port } = manager;
    await manager.stop();
    manager = await startSimulatedManager({ record: ours, port });
    let seen = false;
    void running
      .seen(({ kind }) => kind === 'world-known-again')
      .then(() => {
        seen = true;
      });
    do expect((await caller.call(LIST, list)).response).toEqual(warm.response);
    while (!seen);
  });

  it('gives way to our own when that is back behind the same address, though nobody calls', async () => {
    await caller.close();
    await running.gateway.stop();
    const clock = new ManualClock();
    const { port } = manager;
    await manager.stop();
    // The manager's caches pass on the same clock.
    manager = await startSimulatedManager({
      record: worldOf({ id: 1, name: 'cluster-1' }, NODES, clock),
      port,
    });
    await start([], clock);
    while (!running.gateway.managers().some(({ state }) => state === 'healthy')) await clock.advanceAsync(50);
    const rows = manager.record.schedulers.map((row) => ({ ...row }));
    for (const { hostname, ip } of rows)
      manager.record.deleteNode({ kind: 'scheduler', clusterId: 1, hostname, ip });
    manager.record.redis.clear();
    await manager.stop();
    while (running.gateway.managers().some(({ state }) => state !== 'failed')) await clock.advanceAsync(50);
    await manager.restart();
    const has = (kind: GatewayEvent['kind']) => running.events.some((event) => event.kind === kind);
    while (!has('world-frozen')) await clock.advanceAsync(1_000);
    for (const { hostname, ip } of rows)
      manager.record.addScheduler({ hostname, ip, clusterId: 1, state: 'active' });
    while (!has('world-known-again')) await clock.advanceAsync(1_000);
    expect(running.events.filter(({ kind }) => kind === 'call-answered')).toEqual([]);
  });
});

describe('while only observing', () => {
  it('another manager is told of, and wipes nothing; what callers get is what it says, as always', async () => {
    await caller.close();
    await running.gateway.stop();
    await start(['mode=observe']);
    await replaceManager(worldOf({ id: 1, name: 'elsewhere' }, ['a', 'b']));
    let isFrozen = false;
    void frozen().then(() => {
      isFrozen = true;
    });
    while (!isFrozen) await caller.call(LIST, list);
    const direct = await connectCaller(manager.address);
    expect((await caller.call(LIST, list)).response).toEqual((await direct.call(LIST, list)).response);
    await direct.close();
    running.gateway.setMode('answer');
    const kept = await caller.call(LIST, list);
    expect([kept.response, kept.trailers['x-dfmgw-cache']]).toEqual([warm.response, 'stale']);
    expect(running.events.some(({ kind }) => kind === 'internal-error')).toBe(false);
  });
});

describe('our own manager', () => {
  it('with every scheduler inactive, or one gone, is not taken for another', async () => {
    for (const row of manager.record.schedulers) row.state = 'inactive';
    manager.record.redis.clear();
    await manager.restart();
    expect((await caller.call(LIST, list)).response).toEqual(warm.response);
    manager.record.deleteNode({ kind: 'scheduler', clusterId: 1, hostname: 'sched-4', ip: '127.0.0.3' });
    await caller.call(LIST, list);
    await running.seen(({ kind }) => kind === 'world-cleared');
    expect(running.events.some(({ kind }) => kind === 'world-frozen')).toBe(false);
  });
});

describe('POST /api/accept-manager', () => {
  it.each([
    ['without a token', {}, 'POST', 401],
    ['with a wrong token', { authorization: 'Bearer s3cre' }, 'POST', 401],
    ['with the token, nothing frozen', { authorization: 'Bearer s3cret' }, 'POST', 409],
    ['by GET', { authorization: 'Bearer s3cret' }, 'GET', 405],
  ])('%s', async (_, headers, method, status) => {
    expect((await accept(headers as Record<string, string>, method)).status).toBe(status);
  });
});
