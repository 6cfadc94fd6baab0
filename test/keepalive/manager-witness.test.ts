import { afterEach, describe, expect, it } from 'vitest';
import { type AskedLine, createManagerWitness } from '../../src/keepalive/manager-witness.js';
import type { NodeId, NodeRecord } from '../../src/keepalive/node.js';
import type { LookDepth, Sighting } from '../../src/keepalive/witness.js';
import { decodeResponse, encodeRequest } from '../../src/route/proto.js';
import type { Reply } from '../../src/rpc/call.js';
import type { ManagerVersion } from '../../src/simulator/manager/manager-version.js';
import { seedFromRecordings } from '../../src/simulator/manager/recorded-rows.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { RawClient } from '../simulator/manager/raw-client.js';
import { type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';

const MINUTE_MS = 60_000;
/** What the manager's caches remember at the most: Redis 5 min, the process 3 min, queries 30 s. */
const LONGEST_MEMORY_MS = 8.5 * MINUTE_MS + 1;
const SCHED_A = nodeOf('scheduler', 'sched-a', '10.1.0.1');
const SEED_A = nodeOf('seed-peer', 'seed-a', '10.1.0.9');

function nodeOf(kind: NodeId['kind'], hostname: string, ip: string): NodeId {
  const source = kind === 'scheduler' ? 'SCHEDULER_SOURCE' : 'SEED_PEER_SOURCE';
  return { kind, source, clusterId: '1', hostname, ip };
}

const nameOf = ({ kind, hostname, ip }: NodeId) => ({ kind, clusterId: 1, hostname, ip });

interface Stand {
  readonly manager: SimulatedManager;
  readonly clock: ManualClock;
  look(node: NodeId, depth?: LookDepth, over?: SimulatedManager): Promise<Sighting>;
  /** A KeepAlive stream whose first message the manager has written down. */
  open(
    node: NodeId,
    over?: SimulatedManager,
  ): Promise<{ halfClose(): void; readonly status: Promise<unknown> }>;
  another(): Promise<SimulatedManager>;
}

const running: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

async function stand(version: ManagerVersion, api: 'v1' | 'v2' = 'v2'): Promise<Stand> {
  const clock = new ManualClock();
  const record = seedFromRecordings({ clock, version });
  const startOne = async (): Promise<SimulatedManager> => {
    const one = await startSimulatedManager({
      version,
      clock,
      record,
      lateInactive: { probability: 0, delayMs: 0 },
    });
    running.push(() => one.stop());
    return one;
  };
  const manager = await startOne();
  let draws = 0;
  const random = (): number => (draws++ % 97) / 97;
  const witness = createManagerWitness({
    codec: { encodeRequest, decodeResponse },
    timeoutMs: 5_000,
    clock,
    random,
  });
  const lines = new Map<SimulatedManager, AskedLine>();
  const path = `${api === 'v2' ? '/manager.v2.Manager' : '/manager.Manager'}/KeepAlive`;
  return {
    manager,
    clock,
    async look(node, depth = 'usual', over = manager) {
      const line = lines.get(over) ?? (await connect(over));
      lines.set(over, line);
      return witness.look(recordOf(node, path), line, depth);
    },
    async open(node, over = manager) {
      const client = new RawClient(over.address);
      running.push(() => client.close());
      const before = record.stateHistory(nameOf(node)).length;
      const stream = client.open(path);
      stream.send(recordOf(node, path).first);
      await expect.poll(() => record.stateHistory(nameOf(node)).length, { timeout: 10_000 }).toBe(before + 1);
      return stream;
    },
    another: startOne,
  };
}

function recordOf(node: NodeId, path: string): NodeRecord {
  const { source, clusterId, hostname, ip } = node;
  const first = requestOf(path, { source_type: source, cluster_id: clusterId, hostname, ip });
  return { node, path, first, intervalMs: 5_000 };
}

async function connect(manager: SimulatedManager): Promise<AskedLine> {
  const caller: Caller = await connectCaller(manager.address);
  running.push(() => caller.close());
  return {
    async unary({ path, message }) {
      const { code, message: text, response } = await caller.call(path, message);
      const reply: Reply = { headers: {}, message: response, status: { code, message: text }, trailers: {} };
      return { reply, askedAtMs: 0, answeredAtMs: 0, manager: '0' };
    },
  };
}

const VERSIONS = [
  ['v2.5.1', 'v2'],
  ['v2.5.1', 'v1'],
  ['v2.1.55', 'v2'],
  ['v2.1.55', 'v1'],
] as const;

describe.each(VERSIONS)('a manager %s that is asked in %s', (version, api) => {
  it('says at once what its own KeepAlive streams have written, of both kinds of nodes', async () => {
    const { look, open } = await stand(version, api);
    for (const node of [SCHED_A, SEED_A]) {
      const stream = await open(node);
      expect(await look(node)).toEqual({ kind: 'active', by: 'row' });
      stream.halfClose();
      await stream.status;
      expect(await look(node)).toEqual({ kind: 'inactive', by: 'row' });
      await open(node);
      expect(await look(node)).toEqual({ kind: 'active', by: 'row' });
    }
  });

  it('says "gone" of a node that was never registered', async () => {
    const { look } = await stand(version, api);
    expect(await look(nodeOf('scheduler', 'nobody', '10.1.0.7'))).toEqual({ kind: 'gone', by: 'row' });
    expect(await look(nodeOf('seed-peer', 'nobody', '10.1.0.7'))).toEqual({ kind: 'gone', by: 'row' });
  });

  it('goes on showing a deleted row until its caches forget it, unless it is asked past them', async () => {
    const { manager, clock, look, open } = await stand(version, api);
    await open(SCHED_A);
    expect(await look(SCHED_A)).toEqual({ kind: 'active', by: 'row' });
    manager.record.deleteNode(nameOf(SCHED_A));
    expect(await look(SCHED_A)).toEqual({ kind: 'active', by: 'row' });
    // Its queries are remembered for half a minute in v2.5.
    clock.advance(30_001);
    expect(await look(SCHED_A)).toEqual({ kind: 'active', by: 'row' });
    expect(await look(SCHED_A, 'past-caches')).toEqual({ kind: 'gone', by: 'row' });
    clock.advance(LONGEST_MEMORY_MS);
    expect(await look(SCHED_A)).toEqual({ kind: 'gone', by: 'row' });
  });

  it('does not know for minutes what another of its processes has written, unless it is asked past its caches', async () => {
    const { clock, look, open, another } = await stand(version, api);
    const other = await another();
    const late = await open(SCHED_A, other);
    await open(SCHED_A);
    expect(await look(SCHED_A)).toEqual({ kind: 'active', by: 'row' });
    late.halfClose();
    await late.status;
    clock.advance(30_001);
    expect(await look(SCHED_A)).toEqual({ kind: 'active', by: 'row' });
    expect(await look(SCHED_A, 'past-caches')).toEqual({ kind: 'inactive', by: 'row' });
    clock.advance(3 * MINUTE_MS);
    expect(await look(SCHED_A)).toEqual({ kind: 'inactive', by: 'row' });
  });
});

describe('a scheduler beside the old row of its hostname', () => {
  const RETURNED = nodeOf('scheduler', 'sched-a', '10.1.0.77');

  async function returned(version: ManagerVersion): Promise<Stand> {
    const one = await stand(version);
    one.manager.record.setState(nameOf(SCHED_A), 'inactive', 'cancel');
    one.manager.record.addScheduler({ ...nameOf(RETURNED), state: 'inactive' });
    return one;
  }

  it('is found by v2.5 in the list of its cluster, which may be older than its stream', async () => {
    const { clock, look, open } = await returned('v2.5.1');
    expect(await look(RETURNED)).toEqual({ kind: 'inactive', by: 'list' });
    await open(RETURNED);
    expect(await look(RETURNED)).toEqual({ kind: 'inactive', by: 'list' });
    clock.advance(LONGEST_MEMORY_MS);
    expect(await look(RETURNED)).toEqual({ kind: 'active', by: 'list' });
  });

  it('is gone for v2.5 when the list of its cluster has others only', async () => {
    const { manager, look } = await returned('v2.5.1');
    manager.record.deleteNode(nameOf(RETURNED));
    expect(await look(RETURNED)).toEqual({ kind: 'gone', by: 'list' });
  });

  it('is found by v2.1.55 among the active ones or not at all, which proves nothing', async () => {
    const { clock, look, open } = await returned('v2.1.55');
    expect(await look(RETURNED)).toMatchObject({ kind: 'unknown' });
    await open(RETURNED);
    clock.advance(LONGEST_MEMORY_MS);
    expect(await look(RETURNED)).toEqual({ kind: 'active', by: 'list' });
  });

  it('is asked for together with the others of its cluster', async () => {
    const { manager, look } = await returned('v2.5.1');
    await look(SCHED_A);
    const others = Array.from({ length: 5 }, (_, n) => nodeOf('scheduler', 'sched-b', `10.1.9.${n}`));
    await Promise.all([RETURNED, ...others].map((node) => look(node)));
    const lists = manager.calls().filter(({ path }) => path.endsWith('/ListSchedulers'));
    expect(lists).toHaveLength(1);
  });
});

describe.each(['v2.5.1', 'v2.1.55'] as const)(
  'a seed peer beside the old row of its hostname, at %s',
  (version) => {
    const RETURNED = nodeOf('seed-peer', 'seed-a', '10.1.0.99');

    it('is found in the list that the manager gives to it alone', async () => {
      const { manager, clock, look, open } = await stand(version);
      manager.record.setState(nameOf(SEED_A), 'inactive', 'cancel');
      expect(await look(RETURNED)).toEqual({ kind: 'gone', by: 'list' });
      clock.advance(LONGEST_MEMORY_MS);
      manager.record.addSeedPeer({ ...nameOf(RETURNED), state: 'inactive' });
      // Nobody of its cluster is active.
      expect(await look(RETURNED)).toEqual({ kind: 'inactive', by: 'list' });
      const stream = await open(RETURNED);
      expect(await look(RETURNED)).toEqual({ kind: 'active', by: 'list' });
      manager.record.addSeedPeer({ clusterId: 1, hostname: 'seed-b', ip: '10.1.0.10', state: 'active' });
      stream.halfClose();
      await stream.status;
      clock.advance(LONGEST_MEMORY_MS);
      expect(await look(RETURNED)).toEqual({ kind: 'inactive', by: 'list' });
    });
  },
);

describe('nobody knows', () => {
  it.each([
    ['the database is dead', { kind: 'database-dead' }, /connection refused/],
    ['the manager asks for less', { kind: 'rate-limited' }, /RESOURCE_EXHAUSTED/],
  ] as const)('what a node is while %s', async (_, fault, detail) => {
    const { manager, look } = await stand('v2.5.1');
    manager.setFault(fault as Parameters<SimulatedManager['setFault']>[0]);
    expect(await look(SCHED_A)).toEqual({ kind: 'unknown', detail: expect.stringMatching(detail) });
  });
});
