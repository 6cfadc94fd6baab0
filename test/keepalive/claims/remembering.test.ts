import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { type ClaimsExchange, createClaimsExchange } from '../../../src/keepalive/claims/exchange.js';
import { claimTiming } from '../../../src/keepalive/claims/timing.js';
import { createRedisClient } from '../../../src/redis/client.js';
import { redisKeys } from '../../../src/redis/keys.js';
import { systemClock } from '../../../src/rpc/clock.js';
import { configOf } from '../../support/data-path.js';
import { type RedisProcess, startRedis } from '../../support/redis-process.js';

let redis: RedisProcess;

beforeEach(async () => {
  redis = await startRedis();
});
afterEach(() => redis.stop());

/** A replica that has reached Redis, and has things thrown away as rubbish at once. */
async function replica(name: string): Promise<ClaimsExchange> {
  const { claims: keys } = redisKeys({ keyPrefix: 'dfmgw', fleetId: 'f1' });
  let tried = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    tried = resolve;
  });
  const exchange = createClaimsExchange({
    config: configOf('', ['fleet.id=f1', `redis.addrs=["${redis.address}"]`, 'redis.timeout=10s']).redis,
    keys,
    timing: { ...claimTiming(15_000), rubbishMs: 0.001 },
    replica: name,
    createClient: createRedisClient,
    onHint: () => undefined,
    onTried: () => tried(),
    onAway: () => undefined,
    clock: systemClock,
    emit: () => undefined,
  });
  onTestFinished(() => exchange.close());
  exchange.connect();
  await reached;
  return exchange;
}

const remembers = async (one: ClaimsExchange, away: boolean): Promise<boolean | undefined> =>
  (await one.look([], 'all', away))?.remembers;

it('Redis knows of a replica that has not looked for long, unless it has lost everything: others may have had its nodes meanwhile', async () => {
  const [a, b] = [await replica('A'), await replica('B')];
  expect(await remembers(a, true)).toBe(false);
  await remembers(a, false);
  await remembers(b, false);
  expect(await remembers(a, true)).toBe(true);
  await redis.client().flushall();
  await remembers(b, false);
  expect(await remembers(a, true)).toBe(false);
});
