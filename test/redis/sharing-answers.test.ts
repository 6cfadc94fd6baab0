import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import { Code } from '../../src/rpc/status.js';
import { responseOf } from '../support/data-path.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { OffsetClock, type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { ended, ok } from '../support/scripted-upstream.js';

const GET = 'GetScheduler';
const ASK = { hostname: 's', scheduler_cluster_id: '1' };
const TAG = JSON.stringify(['scheduler', '1', 's']);
const node = (idc: string): Buffer => responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's', idc });

let redis: RedisProcess;
let manager: SharedManager;
let replicas: Replica[];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  await redis.client().flushall();
  manager = { asked: [], auto: () => ok(node('one')) };
  replicas = [];
});
afterEach(() => {
  for (const replica of replicas) replica.stop();
});

async function replica(over: Partial<Parameters<typeof startReplica>[0]> = {}): Promise<Replica> {
  const made = await startReplica({ manager, redis: redis.address, ...over });
  replicas.push(made);
  return made;
}

const stored = (one: Replica, times = 1): Promise<unknown> =>
  one.seen(() => one.of('redis-store-ended').filter(({ result }) => result === 'stored').length >= times);

describe('an answer that one replica was given', () => {
  it('is a hit on the others, with its age, whatever their clocks show', async () => {
    const a = await replica({ clock: new OffsetClock(5_000_000, 3_600_000) });
    const b = await replica({ clock: new OffsetClock(77, -3_600_000) });
    expect((await a.ask(GET, ASK)).source).toBe('miss');
    await stored(a);
    const answer = await b.ask(GET, ASK);
    expect([answer.source, answer.reply.message]).toEqual(['hit', node('one')]);
    expect(manager.asked).toHaveLength(1);
  });

  it('is the last good answer of a replica that was not there when the manager went', async () => {
    const a = await replica({ yaml: 'cache: { methods: { GetScheduler: { ttl: 0s, swr: 0s } } }' });
    await a.ask(GET, ASK);
    await stored(a);
    const b = await replica({ yaml: 'cache: { methods: { GetScheduler: { ttl: 0s, swr: 0s } } }' });
    manager.auto = () => ended(Code.UNAVAILABLE, 'gone');
    const answer = await b.ask(GET, ASK);
    expect([answer.source, answer.reply.message]).toEqual(['stale', node('one')]);
    manager.auto = () => new GatewayError('manager-timeout', 'frozen');
    expect((await b.ask(GET, ASK)).source).toBe('stale');
  });

  it('reaches by its news those who hold an older one', async () => {
    const a = await replica();
    const b = await replica();
    const client = redis.client();
    while ((await client.pubsub('NUMSUB', 'dfmgw:1:{f1}:news'))[1] !== 2);
    await a.ask(GET, ASK);
    await stored(a);
    await b.ask(GET, ASK);
    manager.auto = () => ok(node('two'));
    a.path.written({ updates: [TAG], deletes: [] });
    expect((await a.ask(GET, ASK)).reply.message).toEqual(node('two'));
    const { key } = b.read(GET, ASK).question;
    while (b.path.store.peek(key)?.reply.message?.equals(node('two')) !== true)
      await new Promise((resolve) => setImmediate(resolve));
    expect((await b.ask(GET, ASK)).reply.message).toEqual(node('two'));
    expect(manager.asked).toHaveLength(2);
  });

  it('is not for another fleet', async () => {
    const a = await replica();
    const other = await replica({ fleet: 'f2' });
    await a.ask(GET, ASK);
    await stored(a);
    expect((await other.ask(GET, ASK)).source).toBe('miss');
    const keys = await redis.client().keys('*');
    expect(keys.filter((key) => key.includes('{f1}'))).toHaveLength(1);
    expect(keys.every((key) => key.startsWith('dfmgw:1:{f'))).toBe(true);
  });

  it('lives no longer in Redis than it may be served', async () => {
    const a = await replica({ yaml: 'cache: { maxStale: 1h }' });
    await a.ask(GET, ASK);
    await stored(a);
    const client = redis.client();
    const [key] = await client.keys('*answer*');
    const leftMs = await client.pttl(key ?? '');
    expect(leftMs).toBeGreaterThan(3_500_000);
    expect(leftMs).toBeLessThanOrEqual(3_600_000);
  });
});

describe('a write through one replica', () => {
  it('expires what it touches in all', async () => {
    const a = await replica();
    const b = await replica();
    await a.ask(GET, ASK);
    await stored(a);
    expect((await b.ask(GET, ASK)).source).toBe('hit');
    manager.auto = () => ok(node('two'));
    a.path.written({ updates: [TAG], deletes: [] });
    const asked = b.read(GET, ASK);
    while (b.path.isFresh(asked)) await new Promise((resolve) => setImmediate(resolve));
    expect((await b.ask(GET, ASK)).reply.message).toEqual(node('two'));
    expect(manager.asked).toHaveLength(2);
  });

  it('is known to a replica that starts after it', async () => {
    const a = await replica();
    await a.ask(GET, ASK);
    await stored(a);
    manager.auto = () => ok(node('two'));
    a.path.written({ updates: [TAG], deletes: [] });
    const client = redis.client();
    while ((await client.zcard('dfmgw:1:{f1}:voids')) === 0);
    const b = await replica();
    expect((await b.ask(GET, ASK)).reply.message).toEqual(node('two'));
  });

  it('that Redis did not take is told when it is back', async () => {
    const a = await replica();
    await redis.kill();
    a.path.written({ updates: [TAG], deletes: [] });
    await a.seen(({ kind }) => kind === 'redis-failed');
    await redis.restart();
    const client = redis.client();
    while ((await client.zscore('dfmgw:1:{f1}:voids', TAG)) === null);
  });

  it('of which nobody knows what it touches expires everything', async () => {
    const a = await replica();
    const b = await replica();
    await a.ask(GET, ASK);
    await stored(a);
    await b.ask(GET, ASK);
    a.path.written(undefined);
    const asked = b.read(GET, ASK);
    while (b.path.isFresh(asked)) await new Promise((resolve) => setImmediate(resolve));
    expect((await b.ask(GET, ASK)).source).toBe('miss');
  });
});

describe('the guard', () => {
  it('holds back what another replica was told, too, and a deletion there explains it here', async () => {
    const a = await replica();
    const b = await replica();
    await a.ask(GET, ASK);
    await stored(a);
    await b.ask(GET, ASK);
    manager.auto = () => ended(Code.INTERNAL, 'record not found');
    a.path.written({ updates: [TAG], deletes: [] });
    const held = await a.ask(GET, ASK);
    expect([held.source, held.reply.message]).toEqual(['stale', node('one')]);
    a.path.written({ updates: [], deletes: [TAG] });
    const client = redis.client();
    while ((await client.zscore('dfmgw:1:{f1}:deletions', TAG)) === null);
    expect((await b.ask(GET, ASK)).reply.status.message).toBe('record not found');
  });
});
