import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Claimant, type ClaimantOptions, keyOf, recordOf, StreamsAtManager } from '../../support/claimant.js';
import { until } from '../../support/claimants.js';
import { asForLong } from '../../support/redis-generations.js';
import { type RedisProcess, startRedis } from '../../support/redis-process.js';

const NODE = 'scheduler-1';
const KEY = keyOf(NODE);

let redis: RedisProcess;
let client: Redis;
let manager: StreamsAtManager;
let claimants: Claimant[];

beforeAll(async () => {
  redis = await startRedis();
  client = redis.client();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await client.flushall();
  await asForLong(client, 'claims');
  manager = new StreamsAtManager();
  claimants = [];
});
afterEach(async () => {
  await Promise.all(claimants.map((claimant) => claimant.stop()));
});

function claimant(name: string, more: Partial<ClaimantOptions> = {}): Claimant {
  const made = new Claimant({ name, redis: redis.address, manager, ...more });
  claimants.push(made);
  return made;
}
const leftInRedis = async (): Promise<string[]> =>
  (await client.keys('dfmgw:1:{f1}:claims:*')).filter((key) => !/:(replicas|takers|generation)$/.test(key));

describe('a node', () => {
  it('that moves has its old stream ended before the new one is opened', async () => {
    const [a, b] = [claimant('A', { endingMs: 20 }), claimant('B')];
    await a.attach(NODE);
    expect([a.claims.holds(KEY), a.claims.holderOf(KEY)]).toEqual([true, a.claims.replica]);
    await b.attach(NODE);
    expect(manager.log).toEqual(['+A', '-A', '+B']);
    expect([a.claims.holds(KEY), b.claims.holds(KEY)]).toEqual([false, true]);
    await until(() => a.claims.heldElsewhere(KEY));
    expect(a.claims.holderOf(KEY)).toBe(b.claims.replica);
    expect(b.of('claim-taken').map(({ whence }) => whence)).toEqual(['given']);
    expect(a.of('claim-given').map(({ reason }) => reason)).toEqual(['wanted']);
  });

  it('that two replicas take at once is held by exactly one', async () => {
    const [a, b] = [claimant('A'), claimant('B')];
    await Promise.all([a.attach(NODE), b.attach(NODE)]);
    await until(() => manager.at(KEY).length === 1);
    expect([a, b].filter((one) => one.claims.holds(KEY))).toHaveLength(1);
    const holder = [a, b].find((one) => one.claims.holds(KEY)) as Claimant;
    expect(manager.at(KEY)).toEqual([holder.name]);
    expect(manager.active.get(KEY)).toBe(true);
  });

  it('that two replicas want from a third goes to who was asked last, once', async () => {
    const [a, b, c] = [claimant('A', { endingMs: 200 }), claimant('B'), claimant('C')];
    await a.attach(NODE);
    const first = b.attach(NODE);
    await until(() => a.told.length === 1);
    await c.attach(NODE);
    await first;
    expect(manager.log).toEqual(['+A', '-A', '+C']);
    expect(b.told).toEqual([`yield ${NODE}`]);
    expect([a, b, c].map((one) => one.claims.holds(KEY))).toEqual([false, false, true]);
  });

  it('that comes back to a replica while it yields is taken back after it', async () => {
    const [a, b] = [claimant('A', { endingMs: 50 }), claimant('B')];
    await a.attach(NODE);
    const moved = b.attach(NODE);
    await until(() => a.told.length === 1);
    await Promise.all([a.take(KEY), moved]);
    expect(manager.at(KEY)).toEqual(['A']);
    expect([a, b].map((one) => one.claims.holds(KEY))).toEqual([true, false]);
    expect(manager.log.slice(0, 2)).toEqual(['+A', '-A']);
  });

  it('is freed for who still has a stream of it when its holder lets it go', async () => {
    const [a, b] = [claimant('A'), claimant('B')];
    await a.attach(NODE);
    await b.attach(NODE);
    await until(() => a.claims.heldElsewhere(KEY));
    await b.detach(NODE);
    await until(() => a.claims.holds(KEY));
    expect(manager.log).toEqual(['+A', '-A', '+B', '-B', '+A']);
  });

  it('that leaves leaves nothing behind', async () => {
    const [a, b] = [claimant('A'), claimant('B')];
    await a.attach(NODE);
    await b.attach(NODE);
    await a.detach(NODE);
    await b.detach(NODE);
    expect(await leftInRedis()).toEqual([]);
  });

  it('whose holder says nothing is taken by force, and told of once the late one has ended its stream', async () => {
    const [a, b] = [claimant('A'), claimant('B')];
    await a.attach(NODE);
    a.freeze();
    await b.attach(NODE);
    expect(b.of('claim-taken').map(({ whence }) => whence)).toEqual(['forced']);
    expect(manager.at(KEY)).toEqual(['A', 'B']);
    a.thaw();
    expect(a.claims.holds(KEY)).toBe(false);
    await until(() => b.told.includes(`reassert ${NODE}`));
    expect(manager.log).toEqual(['+A', '+B', '-A', '-B', '+B']);
    expect(manager.active.get(KEY)).toBe(true);
    expect(a.of('claim-given').map(({ reason }) => reason)).toEqual(['late']);
  });

  it('whose holder has heard of the wish, and waits for the manager, is waited for', async () => {
    const [a, b] = [claimant('A', { endingMs: 2_500 }), claimant('B')];
    await a.attach(NODE);
    await b.attach(NODE);
    expect(manager.log).toEqual(['+A', '-A', '+B']);
    expect(b.of('claim-taken').map(({ whence }) => whence)).toEqual(['given']);
  });

  it('of a dead replica is taken over by one of the others, with what it takes to open its stream', async () => {
    const lease = { leaseMs: 600 };
    const [a, b, c] = [claimant('A', lease), claimant('B', lease), claimant('C', lease)];
    await a.attach(NODE);
    a.kill();
    await until(() => manager.at(KEY).length > 0);
    expect([...b.told, ...c.told]).toEqual([`orphaned ${NODE}`]);
    expect([b, c].filter((one) => one.claims.holds(KEY)).map(({ name }) => name)).toEqual(manager.at(KEY));
    // And the node comes back somewhere.
    await c.attach(NODE);
    expect(manager.at(KEY)).toEqual(['C']);
  });

  it('that is offered is taken at once, ended by the one before it is opened', async () => {
    const [a, b] = [claimant('A', { endingMs: 20 }), claimant('B')];
    await a.attach(NODE);
    await until(() => b.of('claims-shared').length > 0);
    expect(await a.claims.offer(KEY, a.clock.nowMs() + 20_000)).toBe(true);
    await until(() => b.claims.holds(KEY));
    expect(manager.log).toEqual(['+A', '-A', '+B']);
    expect(b.told).toEqual([`orphaned ${NODE}`]);
  });

  it('that is offered while nobody is there is not waited for', async () => {
    const a = claimant('A');
    await a.attach(NODE);
    expect(await a.claims.offer(KEY, a.clock.nowMs() + 60_000)).toBe(false);
    expect(a.claims.holds(KEY)).toBe(true);
  });
});

describe('a replica that leaves', () => {
  it('waits for nobody once all others leave, too', async () => {
    const [a, b] = [claimant('A'), claimant('B')];
    await a.attach(NODE);
    await until(() => b.of('claims-shared').length > 0);
    // Taken by nobody: whoever could is leaving before it has looked.
    b.claims.leave();
    expect(await a.claims.offer(KEY, a.clock.nowMs() + 60_000)).toBe(false);
  });

  it('takes over nothing', async () => {
    const lease = { leaseMs: 300 };
    const [a, b, c] = [claimant('A', lease), claimant('B', lease), claimant('C', lease)];
    await a.attach(NODE);
    b.claims.leave();
    a.kill();
    await until(() => c.told.length > 0);
    expect([b.told, c.told]).toEqual([[], [`orphaned ${NODE}`]]);
  });
});

describe('five hundred nodes', () => {
  const nodes = Array.from({ length: 500 }, (_, i) => `scheduler-${i}`);

  it('of a replica that leaves go to the others, each to one', async () => {
    const [a, b, c] = [claimant('A'), claimant('B'), claimant('C')];
    await Promise.all([b, c].map((one) => until(() => one.of('claims-shared').length > 0)));
    await Promise.all(nodes.map((node) => a.attach(node)));
    const offers = nodes.map((node) => a.claims.offer(keyOf(node), a.clock.nowMs() + 25_000));
    expect(await Promise.all(offers)).toEqual(nodes.map(() => true));
    await until(() => nodes.every((node) => manager.at(keyOf(node)).length === 1));
    const [atB, atC] = [b, c].map((one) => nodes.filter((node) => one.claims.holds(keyOf(node))).length);
    expect((atB ?? 0) + (atC ?? 0)).toBe(500);
    expect(nodes.every((node) => manager.active.get(keyOf(node)))).toBe(true);
  });

  it('that come at once are agreed on with Redis, which is not thought to be away', async () => {
    const a = claimant('A', { sets: ['redis.timeout=500ms'] });
    await until(() => a.of('claims-shared').length > 0);
    const many = Array.from({ length: 4 }, (_, n) => nodes.map((node) => `${node}-${n}`)).flat();
    await Promise.all(many.map((node) => a.attach(node)));
    expect(a.claims.counts()).toMatchObject({ held: 2_000, unshared: 0 });
  });

  it('of a dead replica go to the others, and are not shown to anybody before', async () => {
    const lease = { leaseMs: 1_000 };
    const [a, b, c] = [claimant('A', lease), claimant('B', lease), claimant('C', lease)];
    await Promise.all(nodes.map((node) => a.attach(node)));
    a.kill();
    await until(() => nodes.every((node) => manager.at(keyOf(node)).length === 1));
    expect(b.claims.counts().held + c.claims.counts().held).toBe(500);
    expect([...b.told, ...c.told].filter((what) => !what.startsWith('orphaned'))).toEqual([]);
  });
});

it('nodes that come, move and go by the hundred leave nothing, neither here nor in Redis', async () => {
  const lease = { leaseMs: 600 };
  const replicas = [claimant('A', lease), claimant('B', lease), claimant('C', lease)] as const;
  const nodes = Array.from({ length: 300 }, (_, n) => `scheduler-${n}`);
  const at = (n: number): Claimant => replicas[n % 3] as Claimant;
  // Each is at one, then at another, and some are at two when they go.
  await Promise.all(nodes.map((node, n) => at(n).attach(node)));
  await Promise.all(nodes.map((node, n) => at(n + 1).attach(node)));
  await Promise.all(nodes.map((node, n) => (n % 2 === 0 ? at(n).detach(node) : undefined)));
  await Promise.all(nodes.map((node, n) => at(n + 1).detach(node)));
  await until(() => nodes.every((node, n) => n % 2 === 0 || at(n).claims.holds(keyOf(node))));
  await Promise.all(nodes.map((node, n) => at(n).detach(node)));
  const none = { held: 0, unshared: 0, moving: 0, elsewhere: 0 };
  await until(() => replicas.every(({ claims }) => JSON.stringify(claims.counts()) === JSON.stringify(none)));
  expect(await leftInRedis()).toEqual([]);
  expect(nodes.flatMap((node) => manager.at(keyOf(node)))).toEqual([]);
}, 60_000);

describe('a gateway that is started anew', () => {
  it('has its own nodes again at once, and not those that another one has taken', async () => {
    const a = claimant('A');
    await Promise.all(['own', 'moved'].map((node) => a.attach(node)));
    a.kill();
    const b = claimant('B');
    // By force: A is dead.
    await b.attach('moved');
    const again = claimant('A2');
    const records = ['own', 'moved', 'unheard-of'].map((node) => recordOf(node));
    const recovered = await again.claims.recover(records, a.claims.replica);
    expect(recovered.map(({ node }) => node.hostname)).toEqual(['own', 'unheard-of']);
    expect(again.claims.holds(keyOf('own'))).toBe(true);
    expect(b.claims.holds(keyOf('moved'))).toBe(true);
  });
});

describe('a record in Redis', () => {
  const records = 'dfmgw:1:{f1}:claims:records';

  it.each([
    ['not signed', []],
    ['signed with another secret', ['redis.secret=guess']],
  ])('that is %s opens nothing, and is removed', async (_, sets) => {
    const a = claimant('A', { leaseMs: 300, sets });
    await a.attach(NODE);
    a.kill();
    const b = claimant('B', { leaseMs: 300, sets: ['redis.secret=s3cret'] });
    await vi.waitFor(async () => expect(await leftInRedis()).toEqual([]), { timeout: 20_000 });
    expect(b.told).toEqual([]);
  });

  it('in the place of another node’s opens nothing', async () => {
    const a = claimant('A', { leaseMs: 300 });
    await Promise.all([a.attach('one'), a.attach('other')]);
    a.kill();
    await client.hset(records, keyOf('one'), (await client.hgetBuffer(records, keyOf('other'))) as Buffer);
    const b = claimant('B', { leaseMs: 300 });
    await until(() => b.told.length > 0);
    await vi.waitFor(async () => expect(await client.hlen(records)).toBe(1), { timeout: 20_000 });
    expect(b.told).toEqual(['orphaned other']);
  });

  it('of a later gateway is left alone', async () => {
    const a = claimant('A', { leaseMs: 300 });
    await Promise.all([a.attach('one'), a.attach('other')]);
    a.kill();
    const later = (await client.hget(records, keyOf('one')))?.replace('dfmgw1', 'dfmgw2') as string;
    await client.hset(records, keyOf('one'), later);
    const b = claimant('B', { leaseMs: 300 });
    await until(() => b.told.length > 0);
    expect(b.told).toEqual(['orphaned other']);
    expect(await client.hget(records, keyOf('one'))).toBe(later);
  });
});
