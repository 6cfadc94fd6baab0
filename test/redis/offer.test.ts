import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSimulatedManager } from '../../src/simulator/manager/simulated-manager.js';
import { connectCaller } from '../support/caller.js';
import { requestOf, responseOf } from '../support/data-path.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { startGateway } from '../support/running-gateway.js';
import { ok } from '../support/scripted-upstream.js';

const GET = 'GetScheduler';
const ASK = { hostname: 's', scheduler_cluster_id: '1' };
const node = (idc: string): Buffer => responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's', idc });

let redis: RedisProcess;
let manager: SharedManager;
let replicas: Replica[];

beforeEach(async () => {
  redis = await startRedis();
  manager = { asked: [], auto: () => ok(node('one')) };
  replicas = [];
});
afterEach(async () => {
  for (const replica of replicas) replica.stop();
  await redis.stop();
});

async function replica(sets: readonly string[] = []): Promise<Replica> {
  const made = await startReplica({ manager, redis: redis.address, sets });
  replicas.push(made);
  return made;
}
const nameOf = (one: Replica): string => `dfmgw:1:{f1}:answer:${one.read(GET, ASK).question.key}`;
const stored = (one: Replica): number =>
  one.of('redis-store-ended').filter(({ result }) => result === 'stored').length;

describe('what memory has, offered to Redis,', () => {
  it('is laid there where it is not, and once only', async () => {
    const one = await replica();
    await one.ask(GET, ASK);
    await one.path.redis.settled();
    const client = redis.client();
    await client.del(nameOf(one));
    const read = one.read(GET, ASK);
    expect(await one.path.share(read)).toBe(true);
    expect([await client.exists(nameOf(one)), stored(one)]).toEqual([1, 2]);
    expect(await one.path.share(read)).toBe(true);
    expect(stored(one)).toBe(2);
    expect((await (await replica()).ask(GET, ASK)).source).toBe('hit');
  });

  it('takes the place of what was asked for earlier, and leaves alone what was asked for later', async () => {
    const [one, other] = [await replica(), await replica()];
    await one.ask(GET, ASK);
    await one.path.redis.settled();
    const client = redis.client();
    const earlier = (await client.getBuffer(nameOf(one))) as Buffer;
    manager.auto = () => ok(node('two'));
    other.path.written(undefined);
    await other.ask(GET, ASK);
    await other.path.redis.settled();
    const later = (await client.getBuffer(nameOf(one))) as Buffer;
    expect(await one.path.share(one.read(GET, ASK))).toBe(true);
    expect(await client.getBuffer(nameOf(one))).toEqual(later);
    await client.set(nameOf(one), earlier);
    expect(await other.path.share(other.read(GET, ASK))).toBe(true);
    const fresh = await replica();
    expect((await fresh.ask(GET, ASK)).reply.message).toEqual(node('two'));
  });

  it('is not there where Redis does not take it', async () => {
    const one = await replica();
    expect(await one.path.share(one.read(GET, ASK))).toBe(false);
    await one.ask(GET, ASK);
    await one.path.redis.settled();
    const client = redis.client();
    await client.del(nameOf(one));
    await client.config('SET', 'maxmemory', '1');
    expect(await one.path.share(one.read(GET, ASK))).toBe(false);
    await redis.kill();
    expect(await one.path.share(one.read(GET, ASK))).toBe(false);
  });

  it('is not there where it is too large', async () => {
    manager.auto = () => ok(node('x'.repeat(4 * 1024 * 1024)));
    const one = await replica();
    await one.ask(GET, ASK);
    expect(await one.path.share(one.read(GET, ASK))).toBe(false);
  });
});

it('what a gateway has just been told is in Redis when it has stopped', async () => {
  const simulated = await startSimulatedManager();
  const { gateway, address, seen } = await startGateway({
    managers: [simulated.address],
    sets: ['fleet.id=f1', `redis.addrs=["${redis.address}"]`, 'redis.timeout=5s'],
  });
  await seen(({ kind }) => kind === 'redis-connected');
  const caller = await connectCaller(address);
  const path = `/manager.v2.Manager/${GET}`;
  const client = redis.client();
  await client.ping();
  const called = caller.call(path, requestOf(path, { hostname: 'sched-a', scheduler_cluster_id: '1' }));
  expect((await called).code).toBe(0);
  await Promise.all([gateway.stop(), caller.close()]);
  expect(await client.keys('*:answer:*')).toHaveLength(1);
  expect((await client.zcard('dfmgw:1:{f1}:asked-use')) > 0).toBe(true);
  await simulated.stop();
});
