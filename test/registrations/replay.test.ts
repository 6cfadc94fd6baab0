import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeRequest } from '../../src/route/proto.js';
import type { Reply, UnaryRequest } from '../../src/rpc/call.js';
import { responseOf } from '../support/data-path.js';
import {
  deleting,
  NODE,
  NOT_FOUND,
  nodeOf,
  REFUSED,
  type RegistrationsBench,
  registering,
  registrationsBench,
} from '../support/registrations-bench.js';
import { ended, ok } from '../support/scripted-upstream.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const SCHEDULER = '/manager.v2.Manager/UpdateScheduler';
const SEED_PEER = '/manager.v2.Manager/UpdateSeedPeer';
const DELETE = '/manager.v2.Manager/DeleteSeedPeer';
const GET_SEED_PEER = '/manager.v2.Manager/GetSeedPeer';

const scheduler = (over: object = {}): UnaryRequest => registering('scheduler', over);
const seedPeer = (over: object = {}): UnaryRequest => registering('seed-peer', over);
const answered = (over: object = {}): Reply =>
  ok(responseOf('/manager.v2.Manager/GetScheduler', { id: '7', ...NODE, ...over }));

let sets: readonly string[];
let bench: RegistrationsBench;

beforeEach(async () => {
  sets = [`snapshot.dir=${temporaryDirectory()}`];
  bench = await registrationsBench(sets);
});
afterEach(() => bench.part.stop());

const replays = (): string[] => bench.outcomes('registration-replayed');

function untilReplays(count: number): Promise<void> {
  bench.part.look();
  return bench.untilReplays(count);
}

/** The manager knows them, goes away, and they register again. */
async function journaled(...requests: UnaryRequest[]): Promise<void> {
  bench.manager(() => answered());
  for (const one of requests) await bench.part.write(one);
  bench.managerAway();
  for (const one of requests) expect((await bench.part.write(one)).journaled).toBe(true);
}

describe('when the manager is back', () => {
  it('a registration that it does not have is made up for, byte for byte', async () => {
    bench.alive = () => true;
    const one = seedPeer();
    await journaled(one);
    bench.manager(({ path }) => (path === GET_SEED_PEER ? NOT_FOUND : answered()));
    await untilReplays(1);
    expect(replays()).toEqual(['applied']);
    expect(bench.paths()).toEqual(['GetSeedPeer', 'UpdateSeedPeer']);
    expect(bench.seen[1]?.message).toEqual(one.message);
    expect(bench.part.pending()).toBe(0);
    await bench.part.stop();
    bench = await registrationsBench(sets);
    expect(bench.part.pending()).toBe(0);
  });

  it('one that it has is left alone; one whose row has another ip is made up for', async () => {
    bench.alive = () => true;
    await journaled(seedPeer(), scheduler());
    const row = ok(responseOf(GET_SEED_PEER, { id: '7', ...NODE, state: 'inactive' }));
    bench.manager(({ path }) => (path === GET_SEED_PEER ? row : answered({ ip: '127.0.0.77' })));
    await untilReplays(2);
    expect(replays()).toEqual(['there-already', 'applied']);
    expect(bench.paths()).toEqual(['GetSeedPeer', 'GetScheduler', 'UpdateScheduler']);
  });

  it('only the newest of a node is made up for', async () => {
    await journaled(scheduler());
    await bench.part.write(scheduler({ ip: '127.0.0.9' }));
    bench.manager(({ path }) => (path === SCHEDULER ? answered() : NOT_FOUND));
    await untilReplays(1);
    expect(bench.paths()).toEqual(['GetScheduler', 'UpdateScheduler']);
    expect(decodeRequest(SCHEDULER, bench.seen[1]?.message as Buffer).ip).toBe('127.0.0.9');
  });

  it('a node known to be dead is not brought back', async () => {
    await journaled(seedPeer());
    bench.manager(() => NOT_FOUND);
    bench.alive = () => false;
    await untilReplays(1);
    expect([replays(), bench.seen, bench.part.pending()]).toEqual([['dead'], [], 0]);
  });

  it('the shield hears of what is sent: it may have left meanwhile', async () => {
    await journaled(seedPeer());
    bench.manager(({ path }) => (path === GET_SEED_PEER ? NOT_FOUND : answered()));
    bench.alive = () => true;
    await untilReplays(1);
    expect([replays(), bench.registered]).toEqual([['applied'], [nodeOf('seed-peer')]]);
  });

  it('nor one that dies while the manager is asked whether it has it', async () => {
    await journaled(seedPeer());
    bench.manager(() => {
      bench.alive = () => false;
      return NOT_FOUND;
    });
    bench.alive = () => true;
    await untilReplays(2);
    expect([replays(), bench.paths(), bench.part.pending()]).toEqual([['later', 'dead'], ['GetSeedPeer'], 0]);
  });

  it('a node that was deleted meanwhile is not brought back, not even by a deletion that failed', async () => {
    bench.alive = () => true;
    await journaled(seedPeer(), seedPeer({ hostname: 'other' }));
    bench.manager(() => REFUSED);
    await bench.part.write(deleting());
    expect(bench.part.pending()).toBe(1);
    bench.manager(({ path }) => (path === GET_SEED_PEER ? NOT_FOUND : answered()));
    await untilReplays(1);
    expect(decodeRequest(SEED_PEER, bench.seen[1]?.message as Buffer).hostname).toBe('other');
    expect(bench.part.pending()).toBe(0);
  });

  it('a deletion waits for a replay of the node that is under way, so that it has the last word', async () => {
    bench.alive = () => true;
    await journaled(seedPeer());
    bench.manager(() => NOT_FOUND);
    bench.upstream.auto = undefined;
    bench.part.look();
    const asked = async (count: number): Promise<void> => {
      while (bench.upstream.asked.length < count) await new Promise((resolve) => setImmediate(resolve));
    };
    await asked(1);
    const deleted = bench.part.write(deleting());
    bench.upstream.asked[0]?.answer(NOT_FOUND);
    await asked(2);
    expect(bench.upstream.asked[1]?.request.path).toBe(SEED_PEER);
    bench.upstream.asked[1]?.answer(answered());
    await asked(3);
    expect(bench.upstream.asked[2]?.request.path).toBe(DELETE);
    bench.upstream.asked[2]?.answer(ok(Buffer.alloc(0)));
    expect((await deleted).journaled).toBe(false);
  });

  it('a registration that the node makes itself settles the journaled one', async () => {
    await journaled(scheduler());
    bench.manager(() => answered());
    await bench.part.write(scheduler({ ip: '127.0.0.9' }));
    expect(bench.part.pending()).toBe(0);
  });

  it('no more than warmup.rate a second are made up for', async () => {
    await journaled(...Array.from({ length: 30 }, (_, n) => scheduler({ hostname: `n-${n}` })));
    bench.manager(({ path }) => (path === SCHEDULER ? answered() : NOT_FOUND));
    const startedAtMs = bench.clock.nowMs();
    await untilReplays(30);
    expect(bench.clock.nowMs() - startedAtMs).toBeGreaterThanOrEqual(2_900);
  });

  it('one that the manager fails waits, and keeps no other waiting', async () => {
    await journaled(scheduler({ hostname: 'bad' }), scheduler({ hostname: 'good' }));
    bench.manager(({ path, message }) => {
      if (path !== SCHEDULER) return NOT_FOUND;
      return decodeRequest(path, message).hostname === 'bad' ? ended(13, 'invalid connection') : answered();
    });
    await untilReplays(2);
    expect(replays()).toEqual(['later', 'applied']);
    expect(bench.part.pending()).toBe(1);
  });

  it('nothing is made up for while it may be another manager, and no registration reaches it', async () => {
    await journaled(scheduler());
    bench.manager(() => NOT_FOUND);
    bench.frozen = 'another manager';
    bench.part.look();
    expect((await bench.part.write(scheduler())).journaled).toBe(true);
    await expect(bench.part.write(scheduler({ hostname: 'new' }))).rejects.toThrow('another manager');
    bench.clock.advance(60_000);
    expect([bench.seen, replays()]).toEqual([[], []]);
    bench.frozen = undefined;
    bench.manager(({ path }) => (path === SCHEDULER ? answered() : NOT_FOUND));
    await untilReplays(1);
    expect(replays()).toEqual(['applied']);
  });
});
