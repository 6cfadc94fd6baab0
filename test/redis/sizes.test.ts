import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { responseOf, turn } from '../support/data-path.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { ok } from '../support/scripted-upstream.js';

const GET = 'GetScheduler';
const ASK = { hostname: 's', scheduler_cluster_id: '1' };
const MIB = 1024 * 1024;
const answerOf = (bytes: number): Buffer =>
  responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's', idc: 'x'.repeat(Math.floor(bytes)) });

let redis: RedisProcess;
let client: Redis;
let manager: SharedManager;
let replicas: Replica[];

beforeAll(async () => {
  redis = await startRedis();
  client = redis.client();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await client.flushall();
  manager = { asked: [], auto: () => ok(answerOf(10)) };
  replicas = [];
});
afterEach(() => {
  for (const replica of replicas) replica.stop();
});

async function replica(): Promise<Replica> {
  const made = await startReplica({ manager, redis: redis.address });
  replicas.push(made);
  return made;
}
const figure = async (section: string, name: string): Promise<number> =>
  Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await client.info(section))?.[1]);
const nameOf = (one: Replica): string => `dfmgw:1:{f1}:answer:${one.read(GET, ASK).question.key}`;

describe('an answer', () => {
  it('larger than the limit is given, and remembered, but not stored, and that is counted', async () => {
    const one = await replica();
    // In base64, and with what stands around it, more than 4 MiB.
    manager.auto = () => ok(answerOf(3.2 * MIB));
    expect((await one.ask(GET, ASK)).source).toBe('miss');
    expect((await one.ask(GET, ASK)).source).toBe('hit');
    await one.seen(({ kind }) => kind === 'redis-store-ended');
    expect(one.of('redis-store-ended').map(({ result }) => result)).toEqual(['too-large']);
    expect(await client.dbsize()).toBe(0);
    expect(one.of('redis-failed')).toEqual([]);
  });

  it('just below the limit is shared', async () => {
    const one = await replica();
    manager.auto = () => ok(answerOf(2.9 * MIB));
    await one.ask(GET, ASK);
    await one.seen(({ kind }) => kind === 'redis-store-ended');
    const other = await replica();
    const answer = await other.ask(GET, ASK);
    expect([answer.source, answer.reply.message?.length]).toEqual(['hit', answerOf(2.9 * MIB).length]);
  });
});

describe("a foreign value under our key, 200 MB of it, isn't read, neither by us nor inside Redis", () => {
  it.each([
    ['text', (name: string) => client.setrange(name, 200 * MIB - 1, 'x')],
    ['text that begins as ours does', (name: string) => plant(name, 'dfmgw1 0000000000000001')],
  ])('%s', async (_, put) => {
    const one = await replica();
    await put(nameOf(one));
    await client.config('RESETSTAT');
    expect((await one.ask(GET, ASK)).source).toBe('miss');
    expect(one.of('redis-answer-rejected').map(({ reason }) => reason)).toEqual(['too-large']);
    await one.seen(({ kind }) => kind === 'redis-store-ended');
    // Dropped, and replaced by the manager's answer.
    while ((await client.strlen(nameOf(one))) > MIB) await turn();
    expect(await figure('stats', 'total_net_output_bytes')).toBeLessThan(MIB);
    expect(await client.info('commandstats')).not.toContain('cmdstat_get:');
    expect((await (await replica()).ask(GET, ASK)).source).toBe('hit');
    expect(await client.info('commandstats')).toContain('cmdstat_get:');
    expect(one.of('redis-failed')).toEqual([]);
  });

  it('and is removed even if no answer takes its place', async () => {
    const one = await replica();
    await client.setrange(nameOf(one), 200 * MIB - 1, 'x');
    manager.auto = () => new Error('gone');
    await expect(one.ask(GET, ASK)).rejects.toThrow('gone');
    while ((await client.exists(nameOf(one))) === 1) await turn();
  });
});

async function plant(name: string, start: string): Promise<void> {
  await client.setrange(name, 200 * MIB - 1, 'x');
  await client.setrange(name, 0, start);
}

describe('a name that no host has', () => {
  const LONG = 'h'.repeat(100_000);

  it('keeps its question out of Redis', async () => {
    const one = await replica();
    const atStart = one.of('redis-looked-up').length;
    expect((await one.ask(GET, { ...ASK, hostname: LONG })).source).toBe('miss');
    expect((await one.ask(GET, { ...ASK, hostname: LONG })).source).toBe('hit');
    expect(one.of('redis-looked-up')).toHaveLength(atStart);
    expect(await client.dbsize()).toBe(0);
  });

  it('makes a write one to everything, so that no mark is longer than a tag', async () => {
    const one = await replica();
    const other = await replica();
    await one.ask(GET, ASK);
    const asked = one.read(GET, ASK);
    other.path.written({ updates: [JSON.stringify(['scheduler', '1', LONG])], deletes: [] });
    while (one.path.isFresh(asked)) await turn();
    expect(await client.zrange('dfmgw:1:{f1}:voids', 0, '-1')).toEqual(['*']);
  });

  it('that lies among the marks all the same stands for everything, and is not read', async () => {
    const one = await replica();
    await one.ask(GET, ASK);
    const asked = one.read(GET, ASK);
    const sent = await figure('stats', 'total_net_output_bytes');
    await client.eval(
      `local clock = redis.call('TIME')
      redis.call('ZADD', KEYS[1], clock[1] * 1000000 + clock[2], string.rep('x', ARGV[1]))`,
      1,
      'dfmgw:1:{f1}:voids',
      50 * MIB,
    );
    while (one.path.isFresh(asked)) await turn();
    expect((await figure('stats', 'total_net_output_bytes')) - sent).toBeLessThan(MIB);
  });
});
