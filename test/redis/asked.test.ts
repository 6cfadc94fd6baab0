import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAskedInRedis } from '../../src/cache/redis/asked.js';
import { redisKeys } from '../../src/redis/keys.js';
import { createLearned, type Learned } from '../../src/warmup/learned.js';
import { createLearnedShared, type LearnedShared } from '../../src/warmup/learned-shared.js';
import { responseOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { ok } from '../support/scripted-upstream.js';
import { faultsToldOnce, linesOf, samplesOf } from '../support/told.js';

const GET = 'GetScheduler';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ask = (hostname: string) => ({ hostname, scheduler_cluster_id: '1' });
const NAMES = ['asked-use', 'asked-last', 'asked'].map((name) => `dfmgw:1:{f1}:${name}`);
const [USE, LAST, QUESTIONS] = NAMES as [string, string, string];

let redis: RedisProcess;
let client: Redis;
let replicas: Replica[];
const manager: SharedManager = {
  asked: [],
  auto: () => ok(responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's' })),
};

beforeAll(async () => {
  redis = await startRedis();
  client = redis.client();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await client.flushall();
  replicas = [];
});
afterEach(() => {
  for (const replica of replicas) replica.stop();
});

type Knowing = Replica & {
  readonly learned: Learned;
  readonly shared: LearnedShared;
  readonly clock: ManualClock;
};

/** A replica whose learning is told and loaded by the test; its time is not that of the connection to Redis. */
async function replica(over: Partial<Parameters<typeof startReplica>[0]> = {}): Promise<Knowing> {
  const clock = new ManualClock();
  const made = await startReplica({
    manager,
    redis: redis.address,
    sets: ['redis.secret=s3cret'],
    ...over,
  });
  replicas.push(made);
  const learned = createLearned({ clock });
  const shared = createLearnedShared({
    asked: made.path.redis.asked,
    learned,
    questionOf: made.questionOf,
    clock,
    emit: (event) => made.events.push(event),
  });
  return { ...made, learned, shared, clock };
}
/** A gateway that was asked so often for each, and has told it. */
async function asked(times: Readonly<Record<string, number>>): Promise<Knowing> {
  const one = await replica();
  for (const [hostname, count] of Object.entries(times))
    for (let i = 0; i < count; i++) one.learned.note(one.read(GET, ask(hostname)));
  await one.shared.stop();
  return one;
}
const known = (one: Knowing): string[] =>
  one.learned.mostUsed(DAY_MS).map(({ question }) => question.parts.at(-1) ?? '');

describe('what callers ask of one replica', () => {
  it('is known to another one that starts with an empty disk, the most used first', async () => {
    await asked({ a: 2, b: 5, c: 1 });
    const fresh = await replica();
    await fresh.shared.load();
    expect(known(fresh)).toEqual(['b', 'a', 'c']);
    const [first] = fresh.learned.mostUsed(DAY_MS);
    expect(first?.message).toEqual(fresh.read(GET, ask('b')).message);
    expect(first?.weight).toBeCloseTo(5, 3);
  });

  it('is added up with what others know: the greater use and the later asking count, and none is counted twice', async () => {
    await asked({ a: 3, b: 4 });
    await asked({ a: 6, b: 1 });
    const fresh = await replica();
    await fresh.shared.load();
    fresh.learned.note(fresh.read(GET, ask('b')));
    await fresh.shared.stop();
    const last = await replica();
    await last.shared.load();
    const weights = last.learned.mostUsed(DAY_MS).map(({ weight }) => Math.round(weight * 100) / 100);
    expect([known(last), weights]).toEqual([
      ['a', 'b'],
      [6, 5],
    ]);
  });

  it('waits for a Redis that is not there at the start', async () => {
    await asked({ a: 1 });
    const [use, last, questions] = await Promise.all(NAMES.map((name) => client.dumpBuffer(name)));
    await redis.kill();
    const one = await replica({ timeout: '500ms' });
    await one.shared.load();
    expect(known(one)).toEqual([]);
    await redis.restart();
    client = redis.client();
    for (const [index, dump] of [use, last, questions].entries())
      await client.restore(NAMES[index] ?? '', 0, dump as Buffer);
    await one.seen((event) => event.kind === 'redis-connected');
    one.shared.start();
    while (known(one).length === 0) {
      one.clock.advance(60_000);
      // Redis answers in its own time.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(known(one)).toEqual(['a']);
  });

  it('is gone a day after it was last asked, and with it the key', async () => {
    const one = await asked({ old: 1, newer: 1 });
    const { key } = one.read(GET, ask('old')).question;
    const then = Number(await client.zscore(LAST, key)) - DAY_MS * 1000;
    await client.zadd(LAST, String(then), key);
    await asked({ now: 1 });
    expect(await client.zcard(USE)).toBe(2);
    expect([await client.zscore(LAST, key), await client.hexists(QUESTIONS, key)]).toEqual([null, 0]);
    for (const name of NAMES) {
      expect(await client.pttl(name)).toBeGreaterThan(DAY_MS - 60_000);
      expect(await client.pttl(name)).toBeLessThanOrEqual(DAY_MS);
    }
  });

  it('takes no more room than it may: the least used give way', async () => {
    const { path, read } = await replica();
    const few = createAskedInRedis({
      secret: 's3cret',
      fleetId: 'f1',
      keys: redisKeys({ keyPrefix: 'dfmgw', fleetId: 'f1' }),
      exchange: {
        read: () => Promise.resolve(undefined),
        write: async (_, { lua }, names, args) =>
          String(await client.eval(lua, names.length, ...names, ...args)),
      },
      lifetimeMs: DAY_MS,
      halfLifeMs: HOUR_MS,
      most: 10,
      emit: () => undefined,
    });
    const learned = createLearned({ clock: new ManualClock() });
    for (let i = 0; i < 15; i++)
      for (let times = 0; times <= i; times++) learned.note(read(GET, ask(`h${i}`)));
    expect(await few.add(learned.all())).toBe(true);
    const sizes = [await client.zcard(USE), await client.zcard(LAST), await client.hlen(QUESTIONS)];
    expect(sizes).toEqual([10, 10, 10]);
    const left = (await path.redis.asked?.read(() => true)) ?? [];
    expect(left.map(({ weight }) => Math.round(weight))).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6]);
  });

  it('is of one fleet', async () => {
    await asked({ a: 1 });
    const other = await replica({ fleet: 'f2' });
    await other.shared.load();
    expect(known(other)).toEqual([]);
  });
});

describe('in Redis', () => {
  it('a question that was not signed with our secret, or lies under another’s name, is not asked, counted, and told of once', async () => {
    const one = await asked({ a: 1, b: 1, c: 1 });
    const [a, b] = ['a', 'b'].map((name) => one.read(GET, ask(name)).question.key) as [string, string];
    const ofB = await client.hget(QUESTIONS, b);
    await client.hset(QUESTIONS, a, ofB ?? '');
    await client.hset(QUESTIONS, b, 'rubbish');
    const fresh = await replica();
    await fresh.shared.load();
    expect(known(fresh)).toEqual(['c']);
    const stranger = await replica({ sets: ['redis.secret=guess'] });
    await stranger.shared.load();
    expect(known(stranger)).toEqual([]);
    expect(await samplesOf(fresh.events, 'redis_rejected_total')).toMatchObject({ '{reason="check"}': 2 });
    const lines = linesOf(fresh.events).filter(({ event }) => event === 'redis-question-rejected');
    expect(lines).toHaveLength(1);
    expect(await faultsToldOnce(fresh.events, 'redis-failed')).toEqual({});
  });

  it('things of another type, or of another size, cost nothing, and give way', async () => {
    await asked({ a: 1 });
    await client.hset(QUESTIONS, 'huge', 'x'.repeat(10 * 1024 * 1024));
    await client.zadd(USE, '999999999', 'huge', '999999998', 'x'.repeat(1024 * 1024));
    await client.zadd(LAST, String(Date.now() * 1000), 'huge');
    await client.config('RESETSTAT');
    const one = await replica();
    await one.shared.load();
    expect(known(one)).toEqual(['a']);
    const sent = /total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1];
    expect(Number(sent)).toBeLessThan(100_000);
    for (const name of NAMES) {
      await client.del(name);
      await client.set(name, 'x');
    }
    const two = await replica();
    await two.shared.load();
    expect(known(two)).toEqual([]);
    two.learned.note(two.read(GET, ask('b')));
    await two.shared.stop();
    const three = await replica();
    await three.shared.load();
    expect(known(three)).toEqual(['b']);
    expect([one, two, three].flatMap((each) => each.of('redis-failed'))).toEqual([]);
  });
});
