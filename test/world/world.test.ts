import { beforeEach, describe, expect, it } from 'vitest';
import { responseOf } from '../support/data-path.js';
import { ok } from '../support/scripted-upstream.js';
import { LISTING, WorldBench } from '../support/world-bench.js';

const LIST = LISTING.question.path;

let bench: WorldBench;
beforeEach(() => {
  bench = new WorldBench();
});

describe('the known world', () => {
  it('is not another one because bench.rows of a past rollout were cleared', async () => {
    await bench.clock.advance(3_600_000);
    bench.rows = ['d', 'e', 'f'];
    bench.learn();
    await bench.restartManager();
    expect(bench.events).toEqual(['world-cleared']);
  });

  it('is not another one because nodes go one by one', async () => {
    bench.rows = ['b', 'c'];
    await bench.restartManager();
    await bench.clock.advance(6 * 60_000);
    bench.rows = ['c'];
    await bench.restartManager();
    expect(bench.world.frozen).toBeUndefined();
  });
});

describe('clusters', () => {
  const learnCluster = (id: number): void => {
    const scheduler = {
      hostname: `s${id}`,
      scheduler_cluster_id: id,
      scheduler_cluster: { id, name: `cluster-${id}` },
    };
    const reply = ok(responseOf(LIST, { schedulers: [scheduler] }));
    bench.learn(reply);
    bench.rows = [...bench.rows, `s${id}`];
  };

  it('may be deleted in the console, the oldest one too, while another is known', async () => {
    learnCluster(2);
    bench.deletedClusters = ['1'];
    await bench.restartManager();
    expect(bench.world.frozen).toBeUndefined();
  });

  it('are another world when the database knows none of them', async () => {
    learnCluster(2);
    bench.deletedClusters = ['1', '2'];
    await bench.restartManager();
    expect(bench.world.frozen).toContain('its database does not know our clusters');
  });
});

describe('another world', () => {
  it('does not become ours by waiting, even with a cluster of the same id and name', async () => {
    bench.rows = [];
    await bench.restartManager();
    const stage = bench.world.stage(() =>
      Promise.resolve({
        reply: bench.list(),
        askedAtMs: bench.clock.nowMs(),
        answeredAtMs: bench.clock.nowMs(),
        manager: '0',
        source: 'miss',
        coalesced: false,
      }),
    );
    for (let minutes = 0; minutes < 12; minutes++) {
      await bench.clock.advance(60_000);
      await expect(stage(LISTING)).rejects.toThrow('this looks like another manager');
    }
    expect(bench.events).toEqual(['world-frozen']);
    bench.rows = ['a', 'b', 'c'];
    await bench.clock.advance(60_000);
    await stage(LISTING);
    expect(bench.world.frozen).toBeUndefined();
  });
});

describe('a roll call that was not answered', () => {
  it('is repeated, though nobody asks, until somebody knows', async () => {
    bench.rows = [];
    bench.silent = true;
    await bench.restartManager();
    expect(bench.events).toEqual([]);
    for (let times = 0; times < 3; times++) {
      const before = bench.asked;
      bench.clock.advance(10_000);
      await bench.settled();
      expect(bench.asked).toBe(before + 4);
    }
    bench.silent = false;
    bench.clock.advance(10_000);
    await bench.settled();
    expect(bench.events).toEqual(['world-frozen']);
  });

  it('is not while no manager is there', async () => {
    bench.silent = true;
    await bench.restartManager();
    bench.healthy = false;
    const before = bench.asked;
    bench.clock.advance(60_000);
    await bench.settled();
    expect([bench.asked, bench.clock.pendingTimers]).toEqual([before, 0]);
  });
});

describe('while frozen', () => {
  beforeEach(async () => {
    bench.rows = [];
    await bench.restartManager();
    expect(bench.world.frozen).toBeDefined();
    bench.asked = 0;
  });

  it('the roll is called again every 30 s without any caller, and the freeze ends when our own nodes are seen', async () => {
    for (let times = 1; times <= 3; times++) {
      bench.clock.advance(29_999);
      await bench.settled();
      bench.clock.advance(1);
      await bench.settled();
      // Three nodes, and the cluster.
      expect(bench.asked).toBe(times * 4);
    }
    bench.rows = ['a', 'b', 'c'];
    bench.clock.advance(30_000);
    await bench.settled();
    expect(bench.world.frozen).toBeUndefined();
    expect(bench.events.slice(-2)).toEqual(['world-known-again', 'world-cleared']);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('nobody is asked who does not answer', async () => {
    bench.healthy = false;
    bench.clock.advance(300_000);
    await bench.settled();
    expect(bench.asked).toBe(0);
    bench.healthy = true;
    bench.clock.advance(30_000);
    await bench.settled();
    expect(bench.asked).toBe(4);
  });

  it('a manager that comes back is looked at once', async () => {
    bench.rows = ['a', 'b', 'c'];
    await bench.restartManager();
    expect(bench.world.frozen).toBeUndefined();
  });

  it('a switch to bypass and back does not make another world ours', async () => {
    bench.world.unread();
    bench.clock.advance(30_000);
    await bench.settled();
    expect(bench.world.frozen).toBeDefined();
  });

  it('an acceptance in the middle of a roll call stands', async () => {
    bench.world.unsure();
    bench.world.cleared();
    expect(bench.world.accept()).toBe(true);
    await bench.settled();
    expect(bench.world.frozen).toBeUndefined();
    expect(bench.events.at(-1)).toBe('world-accepted');
  });

  it('nothing is left to be done when the gateway stops', () => {
    bench.world.stop();
    expect(bench.clock.pendingTimers).toBe(0);
  });
});
