import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UnaryRequest } from '../../src/rpc/call.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import * as bench from '../support/registrations-bench.js';
import { NODE, nodeOf } from '../support/registrations-bench.js';
import {
  lookingUntil,
  type RegistrationsReplica,
  type ReplicaOptions,
  type RowsManager,
  registrationsReplica,
  rowsManager,
} from '../support/registrations-replica.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const ROW = `${NODE.hostname} ${NODE.ip}`;
const SOON_MS = 300;

let redis: RedisProcess;
let client: Redis;
let manager: RowsManager;

beforeEach(async () => {
  redis = await startRedis();
  client = redis.client();
  manager = rowsManager();
});
afterEach(() => redis.stop());

// On the time of the machine.
const inTime = (request: UnaryRequest): UnaryRequest => ({
  ...request,
  deadlineMs: performance.now() + 20_000,
});
const registering = (...args: Parameters<typeof bench.registering>) => inTime(bench.registering(...args));
const deleting = (...args: Parameters<typeof bench.deleting>) => inTime(bench.deleting(...args));

const replica = (over: Partial<ReplicaOptions> = {}): Promise<RegistrationsReplica> =>
  registrationsReplica({ manager, redis: redis.address, ...over });

async function three(): Promise<[RegistrationsReplica, RegistrationsReplica, RegistrationsReplica]> {
  return [await replica({ dir: temporaryDirectory() }), await replica(), await replica()];
}

function away(): void {
  manager.there = false;
}

/** It has lost what it was told, or forgets it while it is away. */
function back(): void {
  manager.there = true;
  manager.rows.clear();
  manager.asked.length = 0;
}

const nothingPending = async (): Promise<boolean> =>
  (await client.hlen('dfmgw:1:{f1}:registrations:pending')) === 0;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('three replicas on one Redis', () => {
  it('a node that one of them knows is acknowledged by another, with what the manager said, and made up for once', async () => {
    const [a, b, c] = await three();
    const said = await a.part.write(registering('scheduler'));
    away();
    const journaled = await b.part.write(registering('scheduler', { ip: '127.0.0.9' }));
    expect(journaled).toEqual({ reply: said.reply, journaled: true });
    expect((await c.part.write(registering('scheduler', { hostname: 'stranger' }))).reply.status.code).toBe(
      14,
    );
    expect((await c.part.write(registering('scheduler', { port: 1 }))).reply.status.code).toBe(14);
    back();
    await lookingUntil([a, b, c], nothingPending);
    expect(manager.writes()).toEqual(['UpdateScheduler n 127.0.0.9']);
  });

  it('what one acknowledged before it was killed and its disk lost is made up for by exactly one of the others', async () => {
    const [a, b, c] = await three();
    const hostnames = Array.from({ length: 20 }, (_, n) => `n-${n}`);
    for (const hostname of hostnames) await a.part.write(registering('scheduler', { hostname }));
    away();
    for (const hostname of hostnames)
      expect((await a.part.write(registering('scheduler', { hostname }))).journaled).toBe(true);
    await a.vanish();
    back();
    await lookingUntil([b, c], nothingPending);
    expect(manager.writes().toSorted()).toEqual(
      hostnames.map((hostname) => `UpdateScheduler ${hostname} ${NODE.ip}`).toSorted(),
    );
    await lookingUntil([], () => b.outcomes().length + c.outcomes().length === 20);
    expect([...b.outcomes(), ...c.outcomes()]).toEqual(hostnames.map(() => 'applied'));
  });

  it('the one that acknowledged it, and comes back with its disk, finds it settled', async () => {
    const dir = temporaryDirectory();
    const [a, b] = [await replica({ dir }), await replica()];
    await a.part.write(registering('scheduler'));
    away();
    await a.part.write(registering('scheduler'));
    await a.vanish();
    back();
    await lookingUntil([b], nothingPending);
    const again = await replica({ dir });
    await lookingUntil([again], () => again.part.pending() === 0);
    expect(manager.writes()).toHaveLength(1);
  });

  it('one that dies in the middle of it has its turn taken over', async () => {
    const [a, b] = await three();
    await a.part.write(registering('scheduler'));
    away();
    await a.part.write(registering('scheduler'));
    back();
    let asked: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      asked = resolve;
    });
    manager.hold = () => {
      asked();
      return new Promise(() => undefined);
    };
    a.part.look();
    await begun;
    await a.vanish();
    manager.hold = undefined;
    await lookingUntil([b], nothingPending);
    expect(manager.writes()).toEqual([`UpdateScheduler ${ROW}`]);
  });

  it('one that only observes makes up for nothing that another has acknowledged', async () => {
    const [a, b] = await three();
    await a.part.write(registering('scheduler'));
    away();
    await a.part.write(registering('scheduler'));
    await a.vanish();
    back();
    b.mode = 'observe';
    const until = performance.now() + SOON_MS;
    await lookingUntil([b], () => performance.now() > until);
    expect(manager.asked).toEqual([]);
    b.mode = 'answer';
    await lookingUntil([b], nothingPending);
    expect(manager.writes()).toHaveLength(1);
  });

  it('while one is at it, no other is, however often it looks', async () => {
    const [a, b, c] = await three();
    await a.part.write(registering('scheduler'));
    away();
    await a.part.write(registering('scheduler'));
    back();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let underWay = 0;
    let most = 0;
    manager.hold = async () => {
      most = Math.max(most, ++underWay);
      await held;
      underWay--;
    };
    const until = performance.now() + SOON_MS;
    await lookingUntil([a, b, c], () => performance.now() > until);
    release();
    await lookingUntil([a, b, c], nothingPending);
    expect([most, manager.writes()]).toEqual([1, [`UpdateScheduler ${ROW}`]]);
  });

  it('an older registration is not made up for once the node has registered itself at another replica', async () => {
    const [a, b] = await three();
    await a.part.write(registering('scheduler'));
    away();
    await a.part.write(registering('scheduler', { idc: 'old' }));
    back();
    expect((await b.part.write(registering('scheduler', { idc: 'new' }))).journaled).toBe(false);
    await lookingUntil([a, b], () => a.part.pending() === 0);
    expect(manager.writes()).toEqual([`UpdateScheduler ${ROW}`]);
    await lookingUntil([a], () => a.outcomes().length > 0);
    expect(a.outcomes()).toEqual(['superseded']);
  });

  it('a live node whose row is gone is registered again by a replica that it never registered through', async () => {
    const [a, b] = await three();
    await a.part.write(registering('scheduler'));
    back();
    b.alive = () => true;
    expect(await b.part.replayNode(nodeOf('scheduler', { ip: '127.0.0.9' }), { force: true })).toBe(
      'unknown',
    );
    expect(await b.part.replayNode(nodeOf('scheduler'), { force: true })).toBe('applied');
    expect(manager.writes()).toEqual([`UpdateScheduler ${ROW}`]);
  });

  it('a seed peer is made up for by the replica that sees it alive', async () => {
    const [a, b] = await three();
    await a.part.write(registering('seed-peer'));
    away();
    await a.part.write(registering('seed-peer'));
    back();
    const until = performance.now() + SOON_MS;
    await lookingUntil([a, b], () => performance.now() > until);
    expect(manager.asked).toEqual([]);
    b.alive = () => true;
    b.part.aliveNow(nodeOf('seed-peer'));
    await lookingUntil([a, b], nothingPending);
    a.alive = () => true;
    await lookingUntil([a, b], () => a.outcomes().length + b.outcomes().length > 1);
    expect([a.outcomes(), b.outcomes()]).toEqual([['superseded'], ['applied']]);
    expect(manager.writes()).toEqual([`UpdateSeedPeer ${ROW}`]);
  });

  it('a seed peer that had ended at one replica before another one acknowledged it is not given up by the former', async () => {
    const [a, b] = await three();
    await a.part.write(registering('seed-peer'));
    away();
    b.alive = () => false;
    await a.part.write(registering('seed-peer'));
    back();
    const until = performance.now() + SOON_MS;
    await lookingUntil([b], () => performance.now() > until);
    expect([b.outcomes(), await nothingPending()]).toEqual([[], false]);
    a.alive = () => true;
    a.part.aliveNow(nodeOf('seed-peer'));
    await lookingUntil([a, b], nothingPending);
    await lookingUntil([], () => a.outcomes().length > 0);
    expect(a.outcomes()).toEqual(['applied']);
  });
});

describe('a deletion at another replica', () => {
  async function pendingAtA(): Promise<[RegistrationsReplica, RegistrationsReplica]> {
    const [a, b] = await three();
    await a.part.write(registering('seed-peer'));
    away();
    await a.part.write(registering('seed-peer'));
    back();
    a.alive = () => true;
    return [a, b];
  }

  it.each([
    ['of the node', {}],
    ['of its address', { ip: NODE.ip }],
  ])('%s leaves nothing to make up for', async (_, over) => {
    const [a, b] = await pendingAtA();
    await b.part.write(deleting(over));
    await lookingUntil([a], () => a.part.pending() === 0);
    expect([manager.writes().length, manager.rows.size]).toEqual([1, 0]);
    expect(await a.part.replayNode(nodeOf('seed-peer'), { force: true })).toBe('unknown');
    expect(await b.part.replayNode(nodeOf('seed-peer'), { force: true })).toBe('unknown');
  });

  it('of another address leaves it to be made up for', async () => {
    const [a, b] = await pendingAtA();
    await b.part.write(deleting({ ip: '127.0.0.9' }));
    await lookingUntil([a], () => a.outcomes().length > 0);
    expect(a.outcomes()).toEqual(['applied']);
  });

  it('has the last word over one that is being made up for', async () => {
    const [a, b] = await pendingAtA();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let sent: () => void = () => undefined;
    const sending = new Promise<void>((resolve) => {
      sent = resolve;
    });
    manager.hold = ({ path }) => {
      if (!path.endsWith('UpdateSeedPeer')) return undefined;
      sent();
      return held;
    };
    a.part.look();
    await sending;
    const deleted = b.part.write(deleting());
    await pause(SOON_MS);
    expect(manager.writes()).toEqual([]);
    release();
    await deleted;
    expect(manager.writes()).toEqual([`UpdateSeedPeer ${ROW}`, 'DeleteSeedPeer n ']);
    expect(manager.rows.size).toBe(0);
  });

  it('that is followed by a registration of the node itself is over', async () => {
    const [a, b] = await pendingAtA();
    await b.part.write(deleting());
    await b.part.write(registering('seed-peer'));
    away();
    expect((await a.part.write(registering('seed-peer'))).journaled).toBe(true);
    back();
    await lookingUntil([a, b], nothingPending);
    expect(manager.writes()).toEqual([`UpdateSeedPeer ${ROW}`]);
  });
});

describe('without Redis', () => {
  it('that is dead, what is on a disk is acknowledged and made up for; what is on none is not', async () => {
    const [a, b] = await three();
    await a.part.write(registering('scheduler'));
    await b.part.write(registering('scheduler', { hostname: 'm' }));
    await redis.kill();
    away();
    expect((await a.part.write(registering('scheduler'))).journaled).toBe(true);
    expect((await b.part.write(registering('scheduler', { hostname: 'm' }))).journaled).toBe(false);
    back();
    await lookingUntil([a], () => a.part.pending() === 0);
    expect(manager.writes()).toEqual([`UpdateScheduler ${ROW}`]);
  });

  it('that comes back empty, what it knew is told to it again', async () => {
    const [a, b] = await three();
    for (const hostname of ['n', 'm']) await a.part.write(registering('scheduler', { hostname }));
    away();
    await a.part.write(registering('scheduler'));
    await redis.restart();
    client = redis.client();
    await lookingUntil([], async () => (await client.hlen('dfmgw:1:{f1}:registrations:known')) === 2);
    await lookingUntil([], async () => !(await nothingPending()));
    await a.vanish();
    // Through a connection that it has made anew itself.
    await lookingUntil(
      [b],
      async () => (await b.part.write(registering('scheduler', { hostname: 'm' }))).journaled,
    );
    back();
    await lookingUntil([b], nothingPending);
    expect(manager.writes().toSorted()).toEqual([`UpdateScheduler m ${NODE.ip}`, `UpdateScheduler ${ROW}`]);
  });

  it('what was settled and deleted meanwhile is told when it is back, and stays so', async () => {
    const [a, b] = await three();
    await a.part.write(registering('seed-peer'));
    away();
    await a.part.write(registering('seed-peer'));
    back();
    redis.freeze();
    const slow = await replica({ dir: temporaryDirectory(), sets: ['redis.timeout=50ms'] });
    await slow.part.write(deleting());
    expect(manager.writes()).toEqual(['DeleteSeedPeer n ']);
    redis.thaw();
    await lookingUntil([], async () => (await client.zcard('dfmgw:1:{f1}:registrations:deleted-at')) === 1);
    for (const one of [a, b]) one.alive = () => true;
    await lookingUntil([a, b], () => a.part.pending() === 0);
    expect(manager.writes()).toEqual(['DeleteSeedPeer n ']);
  });
});

describe('what lies in Redis', () => {
  const names = ['known', 'pending', 'known-at', 'pending-at', 'settled-at', 'deleted-at', 'settled'];
  const key = (name: string): string => `dfmgw:1:{f1}:registrations:${name}`;

  async function twoPending(sets: readonly string[] = []): Promise<RegistrationsReplica> {
    const a = await replica({ sets });
    for (const hostname of ['n', 'm']) await a.part.write(registering('scheduler', { hostname }));
    away();
    for (const hostname of ['n', 'm']) await a.part.write(registering('scheduler', { hostname }));
    return a;
  }

  it('expires when nobody lives who would keep it, and is under the one hash tag of the fleet', async () => {
    const a = await twoPending();
    back();
    await a.part.write(deleting());
    const keys = (await client.keys('*')).filter((name) => !name.includes(':turn:'));
    expect(keys.every((name) => names.some((one) => name === key(one)))).toBe(true);
    for (const name of keys) expect(await client.pttl(name)).toBeGreaterThan(24 * 3_600_000);
    for (const name of await client.keys('*:turn:*'))
      expect(await client.pttl(name)).toBeLessThanOrEqual(5_000);
  });

  it('that was altered, put in another’s place, or signed with another secret is not used, and counted', async () => {
    const secret = ['redis.secret=one'];
    const a = await twoPending(secret);
    const pendings = await client.hgetallBuffer(key('pending'));
    const [one, other] = Object.keys(pendings) as [string, string];
    const value = pendings[one] as Buffer;
    await a.vanish();
    const rejected = (who: RegistrationsReplica): string[] =>
      who.events.flatMap((event) => (event.kind === 'redis-registration-rejected' ? [event.reason] : []));
    const flipped = Buffer.from(value);
    flipped.writeUInt8((flipped.at(-9) ?? 0) ^ 1, flipped.length - 9);
    await client.hset(key('pending'), one, flipped, other, value);
    back();
    const b = await replica({ sets: secret });
    await lookingUntil([b], () => rejected(b).length >= 2);
    expect(new Set(rejected(b))).toEqual(new Set(['check']));
    await client.hset(
      key('pending'),
      one,
      'rubbish',
      other,
      value.toString('latin1').replace('dfreg1', 'dfreg2'),
    );
    await lookingUntil([b], () => ['unreadable', 'unknown-schema'].every((why) => rejected(b).includes(why)));
    await b.vanish();
    await client.hset(key('pending'), one, value);
    const stranger = await replica({ sets: ['redis.secret=two'] });
    await lookingUntil([stranger], () => rejected(stranger).includes('check'));
    expect(manager.writes()).toEqual([]);
    const c = await replica({ sets: secret });
    await lookingUntil([c], () => c.outcomes().length > 0);
    expect(manager.writes()).toHaveLength(1);
  });

  it('holds no credential', async () => {
    const a = await replica();
    const request = { ...registering('scheduler'), metadata: { authorization: 'Bearer x' } };
    await a.part.write(request);
    away();
    expect((await a.part.write(request)).journaled).toBe(false);
    const all = await client.hgetall(key('known'));
    expect(JSON.stringify(all)).not.toContain('Bearer');
    expect(await nothingPending()).toBe(true);
  });

  it('and comes from a clock that has been set back since stands in nobody’s way', async () => {
    const a = await twoPending();
    const [node] = (await client.hkeys(key('pending'))) as [string];
    const future = (Date.now() + 3_600_000) * 1_000;
    for (const name of ['settled-at', 'known-at']) await client.zadd(key(name), future, node);
    await a.vanish();
    const b = await replica();
    back();
    await lookingUntil([b], nothingPending);
    expect(manager.writes()).toHaveLength(2);
  });
});
