import { beforeEach, describe, expect, it } from 'vitest';
import { classify } from '../../src/breaker/classify.js';
import { decodeRequest, decodeResponse, encodeRequest } from '../../src/route/proto.js';
import type { Reply } from '../../src/rpc/call.js';
import { createWorld, type World } from '../../src/world/world.js';
import { bench, responseOf, turn } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { ended, ok } from '../support/scripted-upstream.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const { question, ...read } = bench().read('ListSchedulers', { hostname: 'daemon', ip: '10.0.0.9' });
/** Ids count up in the order in which rows were made. */
const ids = new Map<string, number>();
const rowOf = (hostname: string): object => ({
  id: ids.get(hostname) ?? ids.set(hostname, ids.size + 1).size,
  hostname,
  scheduler_cluster_id: 1,
  scheduler_cluster: { id: 1, name: 'cluster-1' },
});

let clock: ManualClock;
let events: string[];
let rows: readonly string[];
let world: World;
let asked: number;
let healthy: boolean;
/** Seed peers that were deleted through a gateway. */
let deleted: ReadonlyMap<string, number>;

const list = (): Reply => ok(responseOf(LIST, { schedulers: rows.map(rowOf) }));
const learn = (): void => world.learn({ question, reply: list(), askedAtMs: clock.nowMs(), expired: false });

/** Clusters that the database does not know. */
let deletedClusters: readonly string[];

function answer(path: string, message: Buffer): Reply {
  asked++;
  if (path === LIST) {
    const asked = String(decodeRequest(path, message).scheduler_cluster_id);
    return deletedClusters.includes(asked) ? ended(2, 'record not found') : list();
  }
  const hostname = String(decodeRequest(path, message).hostname);
  return rows.includes(hostname) ? ok(responseOf(path, rowOf(hostname))) : ended(13, 'record not found');
}

/** The manager went away, and one has come back. */
async function restartManager(): Promise<void> {
  world.unsure();
  world.cleared();
  for (let times = 0; times < 5; times++) await turn();
}

beforeEach(() => {
  clock = new ManualClock();
  events = [];
  rows = ['a', 'b', 'c'];
  deletedClusters = [];
  [asked, healthy, deleted] = [0, true, new Map()];
  ids.clear();
  world = createWorld({
    ask: (path, message) =>
      Promise.resolve({
        reply: answer(path, message),
        askedAtMs: clock.nowMs(),
        answeredAtMs: clock.nowMs(),
        manager: '0',
      }),
    encode: (path, fields) => encodeRequest(path, { ...fields }),
    decode: decodeResponse,
    classify,
    remembered: () => undefined,
    forgetAll: () => undefined,
    clock,
    random: () => 0.5,
    managerHealthy: () => healthy,
    wasDeleted: ({ hostname }, sinceMs) => sinceMs <= (deleted.get(hostname) ?? Number.NEGATIVE_INFINITY),
    emit: ({ kind }) => events.push(kind),
  });
  learn();
});

describe('the known world', () => {
  it('is not another one because rows of a past rollout were cleared', async () => {
    await clock.advance(3_600_000);
    rows = ['d', 'e', 'f'];
    learn();
    await restartManager();
    expect(events).toEqual(['world-cleared']);
  });

  it('is not another one because nodes go one by one', async () => {
    rows = ['b', 'c'];
    await restartManager();
    await clock.advance(6 * 60_000);
    rows = ['c'];
    await restartManager();
    expect(world.frozen).toBeUndefined();
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
    world.learn({ question, reply, askedAtMs: clock.nowMs(), expired: false });
    rows = [...rows, `s${id}`];
  };

  it('may be deleted in the console, the oldest one too, while another is known', async () => {
    learnCluster(2);
    deletedClusters = ['1'];
    await restartManager();
    expect(world.frozen).toBeUndefined();
  });

  it('are another world when the database knows none of them', async () => {
    learnCluster(2);
    deletedClusters = ['1', '2'];
    await restartManager();
    expect(world.frozen).toContain('its database does not know our clusters');
  });
});

describe('another world', () => {
  it('does not become ours by waiting, even with a cluster of the same id and name', async () => {
    rows = [];
    await restartManager();
    const stage = world.stage(() =>
      Promise.resolve({
        reply: list(),
        askedAtMs: clock.nowMs(),
        answeredAtMs: clock.nowMs(),
        manager: '0',
        source: 'miss',
        coalesced: false,
      }),
    );
    for (let minutes = 0; minutes < 12; minutes++) {
      await clock.advance(60_000);
      await expect(stage({ question, ...read })).rejects.toThrow('this looks like another manager');
    }
    expect(events).toEqual(['world-frozen']);
    rows = ['a', 'b', 'c'];
    await clock.advance(60_000);
    await stage({ question, ...read });
    expect(world.frozen).toBeUndefined();
  });
});

const deletedNow = (...hostnames: readonly string[]): void => {
  deleted = new Map(hostnames.map((hostname) => [hostname, clock.nowMs()]));
};

/** The roll was called, and what came of it has been seen. */
async function settled(): Promise<void> {
  for (let times = 0; times < 5; times++) await turn();
}

describe('a deletion', () => {
  beforeEach(() => {
    rows = ['a', 'b', 'c', 'd', 'e', 'f'];
    learn();
  });

  it('of several seed peers through a gateway is no sign of another world', async () => {
    rows = ['a', 'b', 'c'];
    deletedNow('d', 'e', 'f');
    await restartManager();
    expect(events).toEqual(['world-cleared']);
  });

  it('through a gateway, while the roll is being called, is none either', async () => {
    rows = ['a', 'b', 'c'];
    const restarted = restartManager();
    deletedNow('d', 'e', 'f');
    await restarted;
    expect(world.frozen).toBeUndefined();
  });

  it('in the console just before the manager restarts is none, where rows that were made later are still there', async () => {
    rows = ['b', 'e', 'f'];
    await restartManager();
    expect(events).toEqual(['world-cleared']);
  });

  it('of the newest rows looks as a backup does that was made before them', async () => {
    rows = ['a', 'b', 'c'];
    await restartManager();
    expect(world.frozen).toContain('3 of 6 nodes are gone');
  });

  it('proves nothing where the later rows are there under other ids: that is a database filled anew', async () => {
    rows = ['b', 'e', 'f'];
    ids.clear();
    for (const hostname of rows) rowOf(hostname);
    await restartManager();
    expect(world.frozen).toContain('3 of 6 nodes are gone');
  });

  it('is none either while the manager goes on telling of them out of its cache', async () => {
    deletedNow('d', 'e', 'f');
    clock.advance(8.5 * 60_000);
    learn();
    rows = ['a', 'b', 'c'];
    await restartManager();
    expect(world.frozen).toBeUndefined();
  });

  it('explains nothing any more of nodes that were seen long after it', async () => {
    deletedNow('d', 'e', 'f');
    clock.advance(10 * 60_000 + 1);
    learn();
    rows = ['a', 'b', 'c'];
    await restartManager();
    expect(world.frozen).toBeDefined();
  });
});

describe('rows that are inactive', () => {
  it('are swept by the manager, and no sign of another world when they are', async () => {
    const inactive = ['x', 'y', 'z'].map((hostname) => ({ ...rowOf(hostname), state: 'inactive' }));
    const reply = ok(responseOf(LIST, { schedulers: [...rows.map(rowOf), ...inactive] }));
    world.learn({ question, reply, askedAtMs: clock.nowMs(), expired: false });
    await restartManager();
    expect(events).toEqual(['world-cleared']);
  });
});

describe('seed peers', () => {
  const seedPeers = bench().read('ListSeedPeers', { hostname: 's', ip: '10.0.0.9' }).question;
  const learnSeedPeers = (expired: boolean): void => {
    const seed_peers = ['x', 'y', 'z'].map((hostname) => ({ id: 1, hostname, seed_peer_cluster_id: 1 }));
    const reply = ok(responseOf(seedPeers.path, { seed_peers }));
    world.learn({ question: seedPeers, reply, askedAtMs: clock.nowMs(), expired });
  };

  it('prove nothing in what was remembered before a write, as after a restart: they may have been deleted', async () => {
    learnSeedPeers(true);
    await restartManager();
    expect(world.frozen).toBeUndefined();
    learnSeedPeers(false);
    await restartManager();
    expect(world.frozen).toBeDefined();
  });

  it('prove nothing after writes that nobody read, not even those that the manager tells of out of its cache', async () => {
    learnSeedPeers(false);
    world.unread();
    learnSeedPeers(false);
    clock.advance(8.5 * 60_000);
    learnSeedPeers(false);
    learn();
    await restartManager();
    expect(world.frozen).toBeUndefined();
    clock.advance(2 * 60_000);
    learnSeedPeers(false);
    await restartManager();
    expect(world.frozen).toBeDefined();
  });
});

describe('while frozen', () => {
  beforeEach(async () => {
    rows = [];
    await restartManager();
    expect(world.frozen).toBeDefined();
    asked = 0;
  });

  it('the roll is called again every 30 s without any caller, and the freeze ends when our own nodes are seen', async () => {
    for (let times = 1; times <= 3; times++) {
      clock.advance(29_999);
      await settled();
      clock.advance(1);
      await settled();
      // Three nodes, and the cluster.
      expect(asked).toBe(times * 4);
    }
    rows = ['a', 'b', 'c'];
    clock.advance(30_000);
    await settled();
    expect(world.frozen).toBeUndefined();
    expect(events.slice(-2)).toEqual(['world-known-again', 'world-cleared']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('nobody is asked who does not answer', async () => {
    healthy = false;
    clock.advance(300_000);
    await settled();
    expect(asked).toBe(0);
    healthy = true;
    clock.advance(30_000);
    await settled();
    expect(asked).toBe(4);
  });

  it('a manager that comes back is looked at once', async () => {
    rows = ['a', 'b', 'c'];
    await restartManager();
    expect(world.frozen).toBeUndefined();
  });

  it('a switch to bypass and back does not make another world ours', async () => {
    world.unread();
    clock.advance(30_000);
    await settled();
    expect(world.frozen).toBeDefined();
  });

  it('an acceptance in the middle of a roll call stands', async () => {
    world.unsure();
    world.cleared();
    expect(world.accept()).toBe(true);
    await settled();
    expect(world.frozen).toBeUndefined();
    expect(events.at(-1)).toBe('world-accepted');
  });

  it('nothing is left to be done when the gateway stops', () => {
    world.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
