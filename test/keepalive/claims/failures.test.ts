import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Claimant, keyOf } from '../../support/claimant.js';
import { Claimants, until } from '../../support/claimants.js';
import { type RedisProcess, startRedis } from '../../support/redis-process.js';

const LEASE_MS = 900;
const NODE = 'scheduler-1';
const KEY = keyOf(NODE);
const NODES = ['scheduler-1', 'scheduler-2', 'scheduler-3'];

let redis: RedisProcess;
let claimants: Claimants;

beforeEach(async () => {
  redis = await startRedis();
  claimants = new Claimants(() => redis, { leaseMs: LEASE_MS, sets: ['redis.timeout=300ms'] });
});
afterEach(async () => {
  redis.thaw();
  await claimants.stop();
  await redis.stop();
});

// Not by how often it was: a Redis that is slow at the start has been away before.
const isAway = (...all: Claimant[]): Promise<void> => until(() => all.every((one) => !one.isShared));
const isBack = (...all: Claimant[]): Promise<void> => until(() => all.every((one) => one.isShared));
const holdersInRedis = async (): Promise<Record<string, string>> =>
  redis.client().hgetall('dfmgw:1:{f1}:claims:holders');

async function threeNodesAt(one: Claimant): Promise<void> {
  await Promise.all(NODES.map((node) => one.attach(node)));
}

describe('a Redis that', () => {
  it('is killed leaves every replica what it has, and is told of it when it is back, empty', async () => {
    const [a, b] = (await claimants.startAll(['A', 'B'])) as [Claimant, Claimant];
    await threeNodesAt(a);
    await redis.kill();
    await isAway(a, b);
    expect(NODES.map((node) => a.claims.holds(keyOf(node)))).toEqual([true, true, true]);
    await b.attach('newcomer');
    expect(b.claims.holds(keyOf('newcomer'))).toBe(true);
    await redis.restart();
    await isBack(a, b);
    await until(async () => Object.keys(await holdersInRedis()).length === 4);
    expect([a.claims.counts(), b.claims.counts()]).toMatchObject([
      { held: 3, unshared: 0 },
      { held: 1, unshared: 0 },
    ]);
    expect([...a.told, ...b.told]).toEqual([]);
  });

  it('is frozen for longer than the lease makes nobody take what is another’s', async () => {
    // Longer than a breaker stays open.
    const leaseMs = 2_400;
    const [a, b] = (await claimants.startAll(['A', 'B'], { leaseMs })) as [Claimant, Claimant];
    await threeNodesAt(a);
    await b.attach('other');
    const frozenAtMs = performance.now();
    redis.freeze();
    await isAway(a, b);
    await until(() => performance.now() - frozenAtMs > 1.1 * leaseMs);
    expect(a.claims.holds(KEY)).toBe(true);
    // B is the first to notice that it is back, and sees the lapsed leases of A.
    a.freeze();
    redis.thaw();
    await isBack(b);
    const seen = b.commands;
    await until(() => b.commands > seen + 2);
    a.thaw();
    await isBack(a);
    expect([...a.told, ...b.told]).toEqual([]);
    expect([a.claims.counts().held, b.claims.counts().held]).toEqual([3, 1]);
  });

  it('is flushed is told again who holds what', async () => {
    const [a, b] = (await claimants.startAll(['A', 'B'])) as [Claimant, Claimant];
    await threeNodesAt(a);
    const before = await holdersInRedis();
    await redis.client().flushall();
    await until(async () => Object.keys(await holdersInRedis()).length === 3);
    // Since the same moments: which of two streams is the newer one is still known.
    expect(await holdersInRedis()).toEqual(before);
    expect([...a.told, ...b.told]).toEqual([]);
  });

  it('has lost its leases only is given them again', async () => {
    const [a] = (await claimants.startAll(['A'])) as [Claimant];
    await threeNodesAt(a);
    await redis.client().del('dfmgw:1:{f1}:claims:leases', 'dfmgw:1:{f1}:claims:records');
    await until(async () => (await redis.client().zcard('dfmgw:1:{f1}:claims:leases')) === 3);
    await until(async () => (await redis.client().hlen('dfmgw:1:{f1}:claims:records')) === 3);
    expect(a.told).toEqual([]);
  });

  it('becomes read-only counts as away until it is not', async () => {
    const [a] = (await claimants.startAll(['A'])) as [Claimant];
    await redis.client().replicaof('127.0.0.1', 1);
    await a.attach(NODE);
    expect(a.claims.holds(KEY)).toBe(true);
    await a.seen((event) => event.kind === 'redis-failed' && event.reason === 'read-only');
    await redis.client().replicaof('NO', 'ONE');
    await isBack(a);
    await until(async () => KEY in (await holdersInRedis()));
  });

  it('is full counts as away until it is not', async () => {
    const [a] = (await claimants.startAll(['A'])) as [Claimant];
    const client = redis.client();
    await client.config('SET', 'maxmemory', '1');
    await a.attach(NODE);
    expect(a.claims.holds(KEY)).toBe(true);
    await a.seen((event) => event.kind === 'redis-failed' && event.reason === 'out-of-memory');
    await client.config('SET', 'maxmemory', '0');
    await isBack(a);
    await until(async () => KEY in (await holdersInRedis()));
  });

  it('lets nobody subscribe makes moves slower, not wrong', async () => {
    await redis.client().call('ACL', 'SETUSER', 'mute', 'on', '>p', '~*', '+@all', 'resetchannels');
    const sets = ['redis.username=mute', 'redis.password=p', 'redis.timeout=2s'];
    const [a, b] = (await claimants.startAll(['A', 'B'], { sets })) as [Claimant, Claimant];
    await a.attach(NODE);
    await b.attach(NODE);
    expect(claimants.manager.log).toEqual(['+A', '-A', '+B']);
    expect(b.of('claim-taken').map(({ whence }) => whence)).toEqual(['given']);
  });
});

describe('while Redis is away', () => {
  const isSettled = (from: Claimant, to: Claimant): Promise<void> =>
    until(() => {
      const { manager } = claimants;
      const hasMoved = from.claims.heldElsewhere(KEY) && to.claims.holds(KEY);
      return hasMoved && manager.at(KEY).join() === to.name && manager.active.get(KEY);
    });

  it('a node that moves has two streams, and is active with the newer one once Redis is back', async () => {
    const [a, b] = (await claimants.startAll(['A', 'B'])) as [Claimant, Claimant];
    await a.attach(NODE);
    await redis.kill();
    await isAway(a, b);
    await b.attach(NODE);
    expect(claimants.manager.at(KEY)).toEqual(['A', 'B']);
    await redis.restart();
    await isSettled(a, b);
    expect(b.told).toContain(`reassert ${NODE}`);
  });

  it('a node that moves is the newer one’s also where Redis still knows the older one', async () => {
    const [a, b] = (await claimants.startAll(['A', 'B'])) as [Claimant, Claimant];
    await a.attach(NODE);
    redis.freeze();
    await isAway(a, b);
    await b.attach(NODE);
    redis.thaw();
    await isSettled(a, b);
    expect(claimants.manager.log.slice(-2)).toEqual(['-B', '+B']);
  });

  it('a node that leaves is not taken for an orphan afterwards', async () => {
    const [a, b] = (await claimants.startAll(['A', 'B'])) as [Claimant, Claimant];
    await a.attach(NODE);
    redis.freeze();
    await isAway(a, b);
    await a.detach(NODE);
    redis.thaw();
    await isBack(a, b);
    await until(async () => Object.keys(await holdersInRedis()).length === 0);
    expect([...a.told, ...b.told]).toEqual([]);
    expect(claimants.manager.active.get(KEY)).toBe(false);
  });
});

describe('a replica that was frozen', () => {
  /** Also at Redis, which may have been too slow for a moment. */
  async function nodeAt(one: Claimant): Promise<void> {
    await one.attach(NODE);
    await until(() => one.claims.counts().held === 1);
  }

  it('believes nothing when it wakes, ends its stream, and has the new holder open its own again', async () => {
    const [a, b, c] = (await claimants.startAll(['A', 'B', 'C'])) as [Claimant, Claimant, Claimant];
    await nodeAt(a);
    a.freeze();
    await until(() => claimants.manager.at(KEY).length === 2);
    const holder = [b, c].find((one) => one.claims.holds(KEY)) as Claimant;
    expect(a.claims.holds(KEY)).toBe(false);
    a.thaw();
    await until(() => holder.told.includes(`reassert ${NODE}`));
    expect(claimants.manager.log).toEqual([
      '+A',
      `+${holder.name}`,
      '-A',
      `-${holder.name}`,
      `+${holder.name}`,
    ]);
    expect(a.claims.heldElsewhere(KEY)).toBe(true);
  });

  it.each([
    ['', () => undefined],
    [
      ', though it finds an asking too late to be heard, and takes Redis for away',
      async (one: Claimant) => {
        redis.freeze();
        const seen = one.commands;
        await until(() => one.commands > seen);
      },
    ],
  ])(
    'while another one had its node and gave it up has it again, and opens its stream anew%s',
    async (_, before) => {
      const [a, b] = (await claimants.startAll(['A', 'B'])) as [Claimant, Claimant];
      await nodeAt(a);
      await before(a);
      a.freeze();
      redis.thaw();
      await until(() => b.claims.holds(KEY));
      // The node has not come to B within its grace.
      await b.letGo(KEY);
      expect(claimants.manager.active.get(KEY)).toBe(false);
      a.thaw();
      await until(() => a.claims.holds(KEY) && claimants.manager.active.get(KEY));
      expect(a.told).toEqual([`reassert ${NODE}`]);
    },
  );
});
