import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type ClaimsExchange, createClaimsExchange } from '../../../src/keepalive/claims/exchange.js';
import { claimTiming } from '../../../src/keepalive/claims/timing.js';
import { createRedisClient } from '../../../src/redis/client.js';
import { redisKeys } from '../../../src/redis/keys.js';
import { systemClock } from '../../../src/rpc/clock.js';
import { type Claimant, keyOf } from '../../support/claimant.js';
import { Claimants, until } from '../../support/claimants.js';
import { configOf } from '../../support/data-path.js';
import { keptBy, laggingFollowerPromoted } from '../../support/redis-generations.js';
import { type RedisProcess, startRedis } from '../../support/redis-process.js';

const NODE = 'scheduler-1';
const KEY = keyOf(NODE);
const { claims: keys } = redisKeys({ keyPrefix: 'dfmgw', fleetId: 'f1' });
const [LEASES, HOLDERS] = keys.all as [string, string];
const GENERATION = keys.all.at(-1) as string;

let redis: RedisProcess;
let client: Redis;

beforeEach(async () => {
  redis = await startRedis();
  client = redis.client();
});
afterEach(() => redis.stop());

describe('replicas whose Redis knows no more than it knew before', () => {
  let claimants: Claimants;

  beforeEach(() => {
    claimants = new Claimants(() => redis, { leaseMs: 6_000 });
  });
  afterEach(() => claimants.stop());

  const noneIsHeld = async (): Promise<boolean> => (await client.hlen(HOLDERS)) === 0;

  it('do not bring back a node that has ended since at another one than it was at, which is dead', async () => {
    const [dead, a, b] = (await claimants.startAll(['dead', 'A', 'B'])) as [Claimant, Claimant, Claimant];
    await dead.attach(NODE);
    const kept = await keptBy(client);
    await a.attach(NODE);
    dead.kill();
    await a.detach(NODE);
    await until(noneIsHeld);
    await laggingFollowerPromoted(client, kept);
    expect(await noneIsHeld()).toBe(false);
    await until(noneIsHeld);
    expect([a.told, b.told, claimants.manager.active.get(KEY)]).toEqual([[], [], false]);
  });

  it('leave a node that has moved since where it is', async () => {
    const [a, b] = (await claimants.startAll(['A', 'B'])) as [Claimant, Claimant];
    await a.attach(NODE);
    const kept = await keptBy(client);
    await b.attach(NODE);
    await until(() => a.claims.heldElsewhere(KEY));
    await laggingFollowerPromoted(client, kept);
    expect(await client.hget(HOLDERS, KEY)).toContain(a.claims.replica);
    await until(async () => (await client.hget(HOLDERS, KEY))?.includes(b.claims.replica));
    await until(() => b.claims.holds(KEY));
    expect(b.of('claim-taken').map(({ whence }) => whence)).not.toContain('forced');
    expect(a.told).toEqual([`yield ${NODE}`]);
    expect([claimants.manager.at(KEY), claimants.manager.active.get(KEY)]).toEqual([['B'], true]);
  });
});

describe('what Redis does not know for long', () => {
  async function replica(name: string, leaseMs: number): Promise<ClaimsExchange> {
    let connected = (): void => undefined;
    const ready = new Promise<void>((resolve) => {
      connected = resolve;
    });
    const exchange = createClaimsExchange({
      config: configOf('', ['fleet.id=f1', `redis.addrs=["${redis.address}"]`, 'redis.timeout=5s']).redis,
      keys,
      timing: claimTiming(leaseMs),
      replica: name,
      createClient: createRedisClient,
      onHint: () => undefined,
      onTried: () => connected(),
      onAway: () => undefined,
      clock: systemClock,
      emit: () => undefined,
    });
    onTestFinished(() => exchange.close());
    exchange.connect();
    await ready;
    return exchange;
  }
  const RECORD = Buffer.from('dfmgw1 record');
  const take = (exchange: ClaimsExchange) => exchange.take(KEY, { kind: 'ask' }, RECORD);
  const candidates = async (exchange: ClaimsExchange) => (await exchange.look([], 'all', false))?.candidates;

  it('is nobody’s to take over for a lease, however dead its holder is', async () => {
    const [dead, a] = [await replica('dead', 1_000), await replica('a', 60_000)];
    await take(dead);
    await client.zadd(LEASES, 1 + Date.now() * 1_000 - 1_000_000, KEY);
    expect(await candidates(a)).toEqual([]);
    await dead.offer([KEY]);
    expect(await candidates(a)).toEqual([]);
    const [id] = ((await client.get(GENERATION)) as string).split(' ');
    await client.set(GENERATION, `${id} 1`);
    expect(await candidates(a)).toEqual([KEY, KEY]);
  });

  it('and has ended is forgotten where it was claimed before it ended, and not where it was claimed after', async () => {
    const [one, other] = [await replica('one', 60_000), await replica('other', 60_000)];
    await take(one);
    await other.ended([[KEY, 60_000]]);
    expect(await client.hget(HOLDERS, KEY)).toContain('one');
    await other.ended([[KEY, 0]]);
    expect(await client.hlen(HOLDERS)).toBe(0);
  });
});
