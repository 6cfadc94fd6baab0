import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { hostnamesIn, LIST } from '../support/searcher-replies.js';
import { type LocalShieldManager, startLocalManager } from '../support/shield-manager.js';
import type { ShieldNode } from '../support/shield-node.js';
import { type ShieldWorld, settle, startShieldWorld } from '../support/shield-world.js';
import { until } from '../support/until.js';

const TIME_FACTOR = 10;
const TOKEN = 's3cret';

let world: ShieldWorld<LocalShieldManager>;

async function start(nodes: number, sets: readonly string[] = []): Promise<void> {
  const lateInactive = { probability: 0, delayMs: 0 };
  // Its queries are remembered for 0.15 s.
  const manager = await startLocalManager({ timeFactor: 200, connectionAgeMs: 3_600_000, lateInactive });
  world = await startShieldWorld({
    manager,
    timeFactor: TIME_FACTOR,
    through: 'gateway',
    nodes,
    sets: ['admin.enable=true', 'admin.addr=127.0.0.1:0', `admin.token=${TOKEN}`, ...sets],
  });
  await settle(world);
}

afterEach(() => world.stop());

const url = (path: string): string => `http://127.0.0.1:${world.gateway?.bound.admin?.port}${path}`;

interface Shown {
  readonly hostname: string;
  readonly manager: unknown;
}

async function nodesShown(): Promise<Shown[]> {
  return ((await (await fetch(url('/api/nodes'))).json()) as { nodes: Shown[] }).nodes;
}

describe('the operator', () => {
  it('sees each node with its stream and what the manager says of it', async () => {
    await start(3);
    await until('each was looked at', async () =>
      (await nodesShown()).every(({ manager }) => manager !== null),
    );
    const number = expect.any(Number);
    const upstream = { manager: '0', address: world.link.address, openedAgoMs: number };
    const manager = { says: 'active', agoMs: number, detail: '', disputedForMs: null };
    expect(await nodesShown()).toEqual(
      ['scheduler-0', 'scheduler-1', 'seed-peer-2'].map((hostname, index) => ({
        kind: hostname.replace(/-\d$/, ''),
        clusterId: '1',
        hostname,
        ip: `127.88.0.${index}`,
        port: null,
        state: 'open',
        alive: true,
        streamsBelow: 1,
        lastBeatAgoMs: number,
        intervalMs: expect.toSatisfy((ms) => ms === null || typeof ms === 'number'),
        upstream,
        manager,
        replica: null,
        reopenings: 0,
        lastReopened: null,
      })),
    );
    const metrics = await (
      await fetch(`http://127.0.0.1:${world.gateway?.bound.metrics?.port}/metrics`)
    ).text();
    expect(metrics).toContain('dragonfly_manager_gateway_nodes{type="scheduler",state="open"} 2');
    expect(metrics).toContain('dragonfly_manager_gateway_nodes_alive{type="seed-peer"} 1');
  });

  it('can have a node forgotten: inactive at once, its stream ended so that a live one comes back', async () => {
    await start(2);
    const [first, second] = world.nodes as [ShieldNode, ShieldNode];
    const { hostname, clusterId } = first.name;
    const headers = { authorization: `Bearer ${TOKEN}` };
    const body = JSON.stringify({ clusterId, hostname });
    const refused = await fetch(url('/api/nodes/forget'), { method: 'POST', body });
    expect(refused.status).toBe(401);
    const reply = await fetch(url('/api/nodes/forget'), { method: 'POST', headers, body });
    expect([reply.status, await reply.json()]).toEqual([200, { forgotten: 1 }]);
    const causes = () => world.manager.simulated.record.stateHistory(first.name).map(({ cause }) => cause);
    await until('the manager was told so politely', () => causes().includes('half-close'));
    await until('it has come back', () => first.streams.opened === 2);
    await world.allActive();
    expect([first.streams.broken, second.streams]).toEqual([1, { opened: 1, broken: 0 }]);
    expect((await nodesShown()).map((node) => node.hostname)).toEqual(['scheduler-0', 'scheduler-1']);
  });
});

describe('a list that lost a node', () => {
  beforeEach(() =>
    start(2, ['cache.emptyHold=2s', 'cache.methods.ListSchedulers={ttl: 0s, swr: 0s, exactTtl: 0s}']),
  );

  /** Daemons of one place share their answer here; the manager keeps one for each. */
  let daemons = 0;
  async function list(): Promise<string[]> {
    const caller = await connectCaller(world.gateway?.address ?? '');
    const request = requestOf(LIST, { hostname: `daemon-${daemons++}`, ip: '127.0.0.9' });
    const { response } = await caller.call(LIST, request);
    await caller.close();
    return hostnamesIn(response);
  }

  const heldBack = () => world.gateway?.events.filter(({ kind }) => kind.startsWith('guard-'));

  it('that is alive is held back for cache.emptyHold', async () => {
    const [first] = world.nodes as [ShieldNode];
    expect(await list()).toEqual(['scheduler-0', 'scheduler-1']);
    // Not as one that is inactive, which would be mended before the hold is over.
    const row = world.manager.simulated.record.findScheduler(first.name);
    if (row !== undefined) row.features = ['preheat'];
    await until('it is asked for and held', async () => {
      expect(await list()).toEqual(['scheduler-0', 'scheduler-1']);
      return heldBack()?.length === 1;
    });
    expect(heldBack()).toEqual([
      { kind: 'guard-held', method: 'manager.v2.Manager/ListSchedulers', reason: 'lost-live-node' },
    ]);
    await until('it has been so for long enough', async () => (await list()).join() === 'scheduler-1');
    expect(heldBack()?.at(-1)).toMatchObject({ kind: 'guard-released', reason: 'lost-live-node' });
  });

  it('that is dead is taken at once', async () => {
    const [first] = world.nodes as [ShieldNode];
    expect(await list()).toEqual(['scheduler-0', 'scheduler-1']);
    await first.stop();
    await until(
      'it is inactive',
      () => world.manager.simulated.record.findScheduler(first.name)?.state === 'inactive',
    );
    await until('it is not listed any more', async () => (await list()).join() === 'scheduler-1');
    expect(heldBack()).toEqual([]);
  });
});
