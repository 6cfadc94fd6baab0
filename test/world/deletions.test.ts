import { beforeEach, describe, expect, it } from 'vitest';
import { bench as pathBench, responseOf } from '../support/data-path.js';
import { ok } from '../support/scripted-upstream.js';
import { LISTING, WorldBench } from '../support/world-bench.js';

const LIST = LISTING.question.path;

let bench: WorldBench;
beforeEach(() => {
  bench = new WorldBench();
});

describe('a deletion', () => {
  beforeEach(() => {
    bench.rows = ['a', 'b', 'c', 'd', 'e', 'f'];
    bench.learn();
  });

  it('of several seed peers through a gateway is no sign of another world', async () => {
    bench.rows = ['a', 'b', 'c'];
    bench.delete('d', 'e', 'f');
    await bench.restartManager();
    expect(bench.events).toEqual(['world-cleared']);
  });

  it('through a gateway, while the roll is being called, is none either', async () => {
    bench.rows = ['a', 'b', 'c'];
    const restarted = bench.restartManager();
    bench.delete('d', 'e', 'f');
    await restarted;
    expect(bench.world.frozen).toBeUndefined();
  });

  it('in the console just before the manager restarts is none, where bench.rows that were made later are still there', async () => {
    bench.rows = ['b', 'e', 'f'];
    await bench.restartManager();
    expect(bench.events).toEqual(['world-cleared']);
  });

  it('of the newest bench.rows looks as a backup does that was made before them', async () => {
    bench.rows = ['a', 'b', 'c'];
    await bench.restartManager();
    expect(bench.world.frozen).toContain('3 of 6 nodes are gone');
  });

  it('proves nothing where the later bench.rows are there under other ids: that is a database filled anew', async () => {
    bench.rows = ['b', 'e', 'f'];
    bench.ids.clear();
    for (const hostname of bench.rows) bench.rowOf(hostname);
    await bench.restartManager();
    expect(bench.world.frozen).toContain('3 of 6 nodes are gone');
  });

  it('is none either while the manager goes on telling of them out of its cache', async () => {
    bench.delete('d', 'e', 'f');
    bench.clock.advance(8.5 * 60_000);
    bench.learn();
    bench.rows = ['a', 'b', 'c'];
    await bench.restartManager();
    expect(bench.world.frozen).toBeUndefined();
  });

  it('explains nothing any more of nodes that were seen long after it', async () => {
    bench.delete('d', 'e', 'f');
    bench.clock.advance(10 * 60_000 + 1);
    bench.learn();
    bench.rows = ['a', 'b', 'c'];
    await bench.restartManager();
    expect(bench.world.frozen).toBeDefined();
  });
});

describe('rows that are inactive', () => {
  it('are swept by the manager, and no sign of another world when they are', async () => {
    const inactive = ['x', 'y', 'z'].map((hostname) => ({ ...bench.rowOf(hostname), state: 'inactive' }));
    const reply = ok(
      responseOf(LIST, { schedulers: [...bench.rows.map((hostname) => bench.rowOf(hostname)), ...inactive] }),
    );
    bench.learn(reply);
    await bench.restartManager();
    expect(bench.events).toEqual(['world-cleared']);
  });
});

describe('seed peers', () => {
  const seedPeers = pathBench().read('ListSeedPeers', { hostname: 's', ip: '10.0.0.9' }).question;
  const learnSeedPeers = (expired: boolean): void => {
    const seed_peers = ['x', 'y', 'z'].map((hostname) => ({ id: 1, hostname, seed_peer_cluster_id: 1 }));
    const reply = ok(responseOf(seedPeers.path, { seed_peers }));
    bench.learn(reply, { question: seedPeers, expired });
  };

  it('prove nothing in what was remembered before a write, as after a restart: they may have been deleted', async () => {
    learnSeedPeers(true);
    await bench.restartManager();
    expect(bench.world.frozen).toBeUndefined();
    learnSeedPeers(false);
    await bench.restartManager();
    expect(bench.world.frozen).toBeDefined();
  });

  it('prove nothing after writes that nobody read, not even those that the manager tells of out of its cache', async () => {
    learnSeedPeers(false);
    bench.world.unread();
    learnSeedPeers(false);
    bench.clock.advance(8.5 * 60_000);
    learnSeedPeers(false);
    bench.learn();
    await bench.restartManager();
    expect(bench.world.frozen).toBeUndefined();
    bench.clock.advance(2 * 60_000);
    learnSeedPeers(false);
    await bench.restartManager();
    expect(bench.world.frozen).toBeDefined();
  });
});
