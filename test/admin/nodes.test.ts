import { describe, expect, it } from 'vitest';
import { createActs } from '../../src/admin/api/acts.js';
import { forgetNodes, listNodes, type NodesSource } from '../../src/admin/nodes.js';
import type { NodeId } from '../../src/keepalive/node.js';
import { nodeKeyOf } from '../../src/keepalive/node.js';
import type { NodeView } from '../../src/keepalive/node-view.js';
import type { ManagersView } from '../../src/keepalive/reconcile.js';

function nodeOf(kind: NodeId['kind'], clusterId: string, hostname: string, ip: string): NodeId {
  return {
    kind,
    source: kind === 'scheduler' ? 'SCHEDULER_SOURCE' : 'SEED_PEER_SOURCE',
    clusterId,
    hostname,
    ip,
  };
}

function viewOf(node: NodeId, over: Partial<NodeView> = {}): NodeView {
  return {
    key: nodeKeyOf(node),
    node,
    state: 'open',
    alive: true,
    streamsBelow: 1,
    lastBeatAtMs: 9_000.4,
    intervalMs: 5_000,
    upstream: { manager: '0', address: '127.0.0.1:65003', openedAtMs: 4_000 },
    reopenings: 2,
    lastReopened: 'link-broken',
    holder: 'replica-a',
    ...over,
  };
}

const SCHEDULER = nodeOf('scheduler', '10', 'a', '127.0.0.1');
const SEED_PEER = nodeOf('seed-peer', '2', 'a', '127.0.0.2');
const OTHER = nodeOf('scheduler', '9', 'b', '127.0.0.3');

function sourceOf(nodes: readonly NodeView[], seen: ReadonlyMap<string, ManagersView> = new Map()) {
  const forgotten: NodeId[] = [];
  const source: NodesSource = {
    nodes: () => nodes,
    managersView: (key) => seen.get(key),
    portSays: (key) => (seen.has(key) ? 'refused' : undefined),
    forget(is) {
      const meant = nodes.map(({ node }) => node).filter(is);
      forgotten.push(...meant);
      return meant.length;
    },
    nowMs: () => 10_000,
  };
  return { source, forgotten };
}

const ALL = new URLSearchParams();

describe('GET /api/nodes', () => {
  it('shows who each node is, how it stands here, and what the manager says of it', async () => {
    const seen = new Map<string, ManagersView>([
      [nodeKeyOf(SCHEDULER), { says: 'inactive', atMs: 9_500, detail: '', disputedSinceMs: 8_000 }],
    ]);
    const reply = await listNodes(sourceOf([viewOf(SCHEDULER)], seen).source)(ALL);
    expect([reply.status, reply.contentType]).toEqual([200, 'application/json; charset=utf-8']);
    expect(JSON.parse(reply.body)).toEqual({
      count: 1,
      toLookAt: 1,
      nodes: [
        {
          kind: 'scheduler',
          clusterId: '10',
          hostname: 'a',
          ip: '127.0.0.1',
          state: 'open',
          alive: true,
          streamsBelow: 1,
          lastBeatAgoMs: 1_000,
          intervalMs: 5_000,
          upstream: { manager: '0', address: '127.0.0.1:65003', openedAgoMs: 6_000 },
          manager: { says: 'inactive', agoMs: 500, detail: '', disputedForMs: 2_000 },
          port: 'refused',
          replica: 'replica-a',
          reopenings: 2,
          lastReopened: 'link-broken',
        },
      ],
    });
  });

  it('says null where it does not know', async () => {
    const view = viewOf(OTHER, {
      lastBeatAtMs: undefined,
      intervalMs: undefined,
      upstream: undefined,
      lastReopened: undefined,
      holder: undefined,
    });
    const { body } = await listNodes(sourceOf([view]).source)(ALL);
    expect(JSON.parse(body).nodes[0]).toMatchObject({
      lastBeatAgoMs: null,
      intervalMs: null,
      upstream: null,
      manager: null,
      port: null,
      replica: null,
      lastReopened: null,
    });
  });

  it('goes by kind, number of the cluster, and name', async () => {
    const { body } = await listNodes(
      sourceOf([SEED_PEER, SCHEDULER, OTHER].map((node) => viewOf(node))).source,
    )(ALL);
    const names = JSON.parse(body).nodes.map((node: NodeId) => [node.kind, node.clusterId, node.hostname]);
    expect(names).toEqual([
      ['scheduler', '9', 'b'],
      ['scheduler', '10', 'a'],
      ['seed-peer', '2', 'a'],
    ]);
  });

  it('of more than are wanted shows those that are to be looked at, and says how many there are', async () => {
    const crowd = Array.from({ length: 40 }, (_, nth) =>
      nodeOf('scheduler', '1', `n-${10 + nth}`, '127.0.0.9'),
    );
    const views = crowd.map((node) => viewOf(node, { alive: node.hostname !== 'n-33' }));
    const disputed: ManagersView = { says: 'gone', atMs: 9_500, detail: '', disputedSinceMs: 8_000 };
    const { source } = sourceOf(views, new Map([[nodeKeyOf(crowd[30] as NodeId), disputed]]));
    const shown = async (limit: string) => {
      const { body } = await listNodes(source)(new URLSearchParams({ limit }));
      const { nodes, ...counts } = JSON.parse(body);
      return { ...counts, names: nodes.map(({ hostname }: NodeId) => hostname) };
    };
    expect(await shown('4')).toEqual({ count: 40, toLookAt: 2, names: ['n-33', 'n-40', 'n-10', 'n-11'] });
    for (const limit of ['40', 'many', '-1', '']) expect((await shown(limit)).names.length).toBe(40);
  });
});

describe('POST /api/nodes/forget', () => {
  const authorization = 'Bearer s3cret';
  const post = async (body: unknown, over: { token?: string; authorization?: string } = {}) => {
    const twins = [SCHEDULER, { ...SCHEDULER, ip: '127.0.0.9' }, { ...SEED_PEER, clusterId: '10' }, OTHER];
    const { source, forgotten } = sourceOf(twins.map((node) => viewOf(node)));
    const act = createActs({ token: over.token ?? 's3cret', emit: () => undefined });
    const route = act('forget-nodes', forgetNodes(source));
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const reply = await route({
      authorization: over.authorization ?? authorization,
      from: '127.0.0.1',
      body: text,
    });
    return {
      status: reply.status,
      body: reply.body,
      forgotten: forgotten.map(({ kind, ip }) => `${kind} ${ip}`),
    };
  };

  it('forgets what is meant, and nothing beside it', async () => {
    expect(await post({ kind: 'scheduler', clusterId: '10', hostname: 'a', ip: '127.0.0.1' })).toEqual({
      status: 200,
      body: '{"forgotten":1}\n',
      forgotten: ['scheduler 127.0.0.1'],
    });
    expect((await post({ kind: 'scheduler', clusterId: '10', hostname: 'a' })).forgotten).toHaveLength(2);
    expect((await post({ clusterId: 10, hostname: 'a' })).forgotten).toHaveLength(3);
  });

  it('says when there is no such node', async () => {
    expect(await post({ clusterId: '10', hostname: 'b' })).toMatchObject({ status: 404, forgotten: [] });
  });

  it.each([
    ['no JSON', '{'],
    ['nobody', {}],
    ['no hostname', { clusterId: '10', hostname: '' }],
    ['a field that there is not', { clusterId: '10', hostname: 'a', adress: '127.0.0.1' }],
    ['another kind', { clusterId: '10', hostname: 'a', kind: 'seedPeer' }],
    ['half a cluster', { clusterId: 1.5, hostname: 'a' }],
  ])('guesses nothing of a body that names %s', async (_, body) => {
    expect(await post(body)).toMatchObject({ status: 400, forgotten: [] });
  });

  it.each([
    ['without the token', { authorization: '' }, 401],
    ['with another token', { authorization: 'Bearer s3cre' }, 401],
    ['where there is none', { token: '' }, 403],
  ])('does nothing %s', async (_, over, status) => {
    expect(await post({ clusterId: '10', hostname: 'a' }, over)).toMatchObject({ status, forgotten: [] });
  });
});
