import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GENERATION } from '../../src/redis/generation.js';
import { NOW } from '../../src/redis/script.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';

const SCRIPT = `${NOW}${GENERATION}
local token, age = generation(KEYS[1], 60000)
return {token, tostring(age)}`;

let redis: RedisProcess;
let client: Redis;

beforeEach(async () => {
  redis = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  client = redis.client();
});
afterEach(() => redis.stop());

async function generation(by = client): Promise<string> {
  return ((await by.eval(SCRIPT, 1, 'generation')) as [string])[0];
}

it('stays the same while Redis forgets nothing, whoever asks, and grows older', async () => {
  const first = await generation();
  expect(await generation(redis.client())).toBe(first);
  const [, ageUs] = (await client.eval(SCRIPT, 1, 'generation')) as [string, string];
  expect(Number(ageUs)).toBeGreaterThan(0);
});

it('is another one after a start, with what it knew', async () => {
  const before = await generation();
  await client.save();
  await redis.restart();
  client = redis.client();
  expect(await client.get('generation')).toBe(before);
  expect(await generation()).not.toBe(before);
});

it('is another one after everything was lost', async () => {
  const before = await generation();
  await client.flushall();
  expect(await generation()).not.toBe(before);
});

it('is another one where a follower became the master, and each time it does', async () => {
  const follower = await startRedis({ args: ['--replicaof', '127.0.0.1', String(redis.port)] });
  try {
    const before = await generation();
    const other = follower.client();
    while ((await other.get('generation')) !== before) await other.info('replication');
    const seen = [before];
    for (const _ of [1, 2]) {
      await other.replicaof('NO', 'ONE');
      seen.push(await generation(other));
      await other.replicaof('127.0.0.1', 1);
    }
    expect(new Set(seen).size).toBe(3);
  } finally {
    await follower.stop();
  }
});

it('begins anew with a clock that was set back', async () => {
  const before = await generation();
  const [id] = before.split(' ') as [string];
  await client.set('generation', `${id} 9999999999999999`);
  const [token, ageUs] = (await client.eval(SCRIPT, 1, 'generation')) as [string, string];
  expect([token.startsWith(id), token.includes('9999'), ageUs]).toEqual([true, false, '0']);
});

it('of a Redis that does not tell who it is, a loss of everything can still be seen', async () => {
  await client.call('ACL', 'SETUSER', 'mute', 'on', '>p', '~*', '+@all', '-info');
  const mute = redis.client({ username: 'mute', password: 'p', enableReadyCheck: false });
  const before = await generation(mute);
  expect([before.startsWith('- '), await generation(mute)]).toEqual([true, before]);
  await client.flushall();
  expect(await generation(mute)).not.toBe(before);
});
