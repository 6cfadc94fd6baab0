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
const rowOf = (hostname: string): object => ({
  hostname,
  scheduler_cluster_id: 1,
  scheduler_cluster: { id: 1, name: 'cluster-1' },
});

let clock: ManualClock;
let events: string[];
let rows: readonly string[];
let world: World;

const list = (): Reply => ok(responseOf(LIST, { schedulers: rows.map(rowOf) }));
const learn = (): void => world.learn({ question, reply: list(), askedAtMs: clock.nowMs() });

/** Clusters that the database does not know. */
let deletedClusters: readonly string[];

function answer(path: string, message: Buffer): Reply {
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
    world.learn({ question, reply, askedAtMs: clock.nowMs() });
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
