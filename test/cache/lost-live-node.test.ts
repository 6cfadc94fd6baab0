import { describe, expect, it } from 'vitest';
import type { ListedNode } from '../../src/cache/guard.js';
import { type Bench, bench, responseOf } from '../support/data-path.js';
import { ok } from '../support/scripted-upstream.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const ASK = { hostname: 'd1', ip: '127.0.0.9', scheduler_cluster_id: '1' };
const schedulers = (...names: string[]): Buffer =>
  responseOf(LIST, {
    schedulers: names.map((hostname) => ({
      hostname,
      scheduler_cluster_id: '1',
      scheduler_cluster: { id: '1', name: 'c' },
    })),
  });

describe('the guard that knows who is alive', () => {
  const SEED_PEERS = '/manager.v2.Manager/ListSeedPeers';
  const seedPeers = (...rows: [hostname: string, state: string][]): Buffer =>
    responseOf(SEED_PEERS, {
      seed_peers: rows.map(([hostname, state]) => ({
        hostname,
        state,
        ip: '127.0.0.3',
        seed_peer_cluster_id: '1',
      })),
    });
  const poll = async ({ path, read }: Bench, method = 'ListSchedulers'): Promise<Buffer | undefined> =>
    (await path.answerRead(read(method, ASK))).reply.message;

  it('holds a list back that lost a node whose stream is here, and lets it pass after emptyHold', async () => {
    const asked: ListedNode[] = [];
    const isAlive = (node: ListedNode): boolean => {
      asked.push(node);
      return node.hostname === 'live';
    };
    const world = bench('', { isAlive });
    world.upstream.auto = () => ok(schedulers('live', 'other'));
    await poll(world);
    world.upstream.auto = () => ok(schedulers('other', 'new'));
    for (let minute = 0; minute < 10; minute++) {
      world.clock.advance(60_000);
      expect(await poll(world)).toEqual(schedulers('live', 'other'));
    }
    expect(asked[0]).toEqual({ kind: 'scheduler', clusterId: '1', hostname: 'live', ip: '' });
    world.clock.advance(60_000);
    expect(await poll(world)).toEqual(schedulers('other', 'new'));
    expect(world.of('guard-held').map(({ reason }) => reason)).toEqual(['lost-live-node']);
    expect(world.of('guard-released').map(({ reason }) => reason)).toEqual(['lost-live-node']);
  });

  it('takes a list at once that lost nobody but the dead, and when the lost one has died', async () => {
    const alive = new Set(['a']);
    const world = bench('', { isAlive: ({ hostname }) => alive.has(hostname) });
    world.upstream.auto = () => ok(schedulers('a', 'b'));
    await poll(world);
    world.clock.advance(60_000);
    world.upstream.auto = () => ok(schedulers('a'));
    expect(await poll(world)).toEqual(schedulers('a'));
    world.clock.advance(60_000);
    world.upstream.auto = () => ok(schedulers('c'));
    expect(await poll(world)).toEqual(schedulers('a'));
    alive.clear();
    world.clock.advance(60_000);
    expect(await poll(world)).toEqual(schedulers('c'));
    expect(world.of('guard-released')).toEqual([]);
  });

  it('takes a live node that is shown as inactive for lost, and one that was so before for nothing new', async () => {
    const world = bench('', { isAlive: () => true });
    const both = seedPeers(['a', 'active'], ['b', 'inactive']);
    world.upstream.auto = () => ok(both);
    await poll(world, 'ListSeedPeers');
    world.clock.advance(120_000);
    world.upstream.auto = () => ok(seedPeers(['a', 'active']));
    expect(await poll(world, 'ListSeedPeers')).toEqual(seedPeers(['a', 'active']));
    world.clock.advance(120_000);
    world.upstream.auto = () => ok(seedPeers(['a', 'inactive'], ['c', 'active']));
    expect(await poll(world, 'ListSeedPeers')).toEqual(seedPeers(['a', 'active']));
    expect(world.of('guard-held').map(({ reason }) => reason)).toEqual(['lost-live-node']);
  });
});
