import { describe, expect, it } from 'vitest';
import { NODE, nodeOf } from '../support/registrations-bench.js';
import { lookingUntil, type RegistrationsReplica } from '../support/registrations-replica.js';
import { deleting, KEYS, ROW, registering, replicasOnRedis } from '../support/registrations-replicas.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const SOON_MS = 300;

const world = replicasOnRedis();
const { replica, three, away, back, nothingPending } = world;

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
    expect(world.manager.writes()).toEqual(['UpdateScheduler n 127.0.0.9']);
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
    expect(world.manager.writes().toSorted()).toEqual(
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
    expect(world.manager.writes()).toHaveLength(1);
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
    world.manager.hold = () => {
      asked();
      return new Promise(() => undefined);
    };
    a.part.look();
    await begun;
    await a.vanish();
    world.manager.hold = undefined;
    await lookingUntil([b], nothingPending);
    expect(world.manager.writes()).toEqual([`UpdateScheduler ${ROW}`]);
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
    expect(world.manager.asked).toEqual([]);
    b.mode = 'answer';
    await lookingUntil([b], nothingPending);
    expect(world.manager.writes()).toHaveLength(1);
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
    world.manager.hold = async () => {
      most = Math.max(most, ++underWay);
      await held;
      underWay--;
    };
    const until = performance.now() + SOON_MS;
    await lookingUntil([a, b, c], () => performance.now() > until);
    release();
    await lookingUntil([a, b, c], nothingPending);
    expect([most, world.manager.writes()]).toEqual([1, [`UpdateScheduler ${ROW}`]]);
  });

  it('an older registration is not made up for once the node has registered itself at another replica', async () => {
    const [a, b] = await three();
    await a.part.write(registering('scheduler'));
    away();
    await a.part.write(registering('scheduler', { idc: 'old' }));
    back();
    expect((await b.part.write(registering('scheduler', { idc: 'new' }))).journaled).toBe(false);
    await lookingUntil([a, b], () => a.part.pending() === 0);
    expect(world.manager.writes()).toEqual([`UpdateScheduler ${ROW}`]);
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
    expect(world.manager.writes()).toEqual([`UpdateScheduler ${ROW}`]);
  });

  it('a seed peer is made up for by the replica that sees it alive', async () => {
    const [a, b] = await three();
    await a.part.write(registering('seed-peer'));
    away();
    await a.part.write(registering('seed-peer'));
    back();
    const until = performance.now() + SOON_MS;
    await lookingUntil([a, b], () => performance.now() > until);
    expect(world.manager.asked).toEqual([]);
    b.alive = () => true;
    b.part.aliveNow(nodeOf('seed-peer'));
    await lookingUntil([a, b], nothingPending);
    a.alive = () => true;
    await lookingUntil([a, b], () => a.outcomes().length + b.outcomes().length > 1);
    expect([a.outcomes(), b.outcomes()]).toEqual([['superseded'], ['applied']]);
    expect(world.manager.writes()).toEqual([`UpdateSeedPeer ${ROW}`]);
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
    expect([world.manager.writes().length, world.manager.rows.size]).toEqual([1, 0]);
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
    world.manager.hold = ({ path }) => {
      if (!path.endsWith('UpdateSeedPeer')) return undefined;
      sent();
      return held;
    };
    a.part.look();
    await sending;
    const deleted = b.part.write(deleting());
    await pause(SOON_MS);
    expect(world.manager.writes()).toEqual([]);
    release();
    await deleted;
    expect(world.manager.writes()).toEqual([`UpdateSeedPeer ${ROW}`, 'DeleteSeedPeer n ']);
    expect(world.manager.rows.size).toBe(0);
  });

  it('that is followed by a registration of the node itself is over', async () => {
    const [a, b] = await pendingAtA();
    await b.part.write(deleting());
    await b.part.write(registering('seed-peer'));
    away();
    expect((await a.part.write(registering('seed-peer'))).journaled).toBe(true);
    back();
    await lookingUntil([a, b], nothingPending);
    expect(world.manager.writes()).toEqual([`UpdateSeedPeer ${ROW}`]);
  });
});

describe('what lies in Redis', () => {
  const names = [
    'known',
    'pending',
    'known-at',
    'pending-at',
    'settled-at',
    'deleted-at',
    'settled',
    'generation',
  ];
  const key = (name: string): string => `${KEYS}:${name}`;

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
    const keys = (await world.client.keys('*')).filter((name) => !name.includes(':turn:'));
    expect(keys.every((name) => names.some((one) => name === key(one)))).toBe(true);
    for (const name of keys) expect(await world.client.pttl(name)).toBeGreaterThan(24 * 3_600_000);
    for (const name of await world.client.keys('*:turn:*'))
      expect(await world.client.pttl(name)).toBeLessThanOrEqual(5_000);
  });

  it('that was altered, put in another’s place, or signed with another secret is not used, and counted', async () => {
    const secret = ['redis.secret=one'];
    const a = await twoPending(secret);
    const pendings = await world.client.hgetallBuffer(key('pending'));
    const [one, other] = Object.keys(pendings) as [string, string];
    const value = pendings[one] as Buffer;
    await a.vanish();
    const rejected = (who: RegistrationsReplica): string[] =>
      who.events.flatMap((event) => (event.kind === 'redis-registration-rejected' ? [event.reason] : []));
    const flipped = Buffer.from(value);
    flipped.writeUInt8((flipped.at(-9) ?? 0) ^ 1, flipped.length - 9);
    await world.client.hset(key('pending'), one, flipped, other, value);
    back();
    const b = await replica({ sets: secret });
    await lookingUntil([b], () => rejected(b).length >= 2);
    expect(new Set(rejected(b))).toEqual(new Set(['check']));
    await world.client.hset(
      key('pending'),
      one,
      'rubbish',
      other,
      value.toString('latin1').replace('dfreg1', 'dfreg2'),
    );
    await lookingUntil([b], () => ['unreadable', 'unknown-schema'].every((why) => rejected(b).includes(why)));
    await b.vanish();
    await world.client.hset(key('pending'), one, value);
    const stranger = await replica({ sets: ['redis.secret=two'] });
    await lookingUntil([stranger], () => rejected(stranger).includes('check'));
    expect(world.manager.writes()).toEqual([]);
    const c = await replica({ sets: secret });
    await lookingUntil([c], () => c.outcomes().length > 0);
    expect(world.manager.writes()).toHaveLength(1);
  });

  it('holds no credential', async () => {
    const a = await replica();
    const request = { ...registering('scheduler'), metadata: { authorization: 'Bearer x' } };
    await a.part.write(request);
    away();
    expect((await a.part.write(request)).journaled).toBe(false);
    const all = await world.client.hgetall(key('known'));
    expect(JSON.stringify(all)).not.toContain('Bearer');
    expect(await nothingPending()).toBe(true);
  });

  it('and comes from a clock that has been set back since stands in nobody’s way', async () => {
    const a = await twoPending();
    const [node] = (await world.client.hkeys(key('pending'))) as [string];
    const future = (Date.now() + 3_600_000) * 1_000;
    for (const name of ['settled-at', 'known-at']) await world.client.zadd(key(name), future, node);
    await a.vanish();
    const b = await replica();
    back();
    await lookingUntil([b], nothingPending);
    expect(world.manager.writes()).toHaveLength(2);
  });
});
