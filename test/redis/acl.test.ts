import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { GatewayEvent } from '../../src/observe/events.js';
import type { UnaryRequest } from '../../src/rpc/call.js';
import { responseOf, turn } from '../support/data-path.js';
import { asForLong } from '../support/redis-generations.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { deleting, registering } from '../support/registrations-bench.js';
import { lookingUntil, registrationsReplica, rowsManager } from '../support/registrations-replica.js';
import { type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { ok } from '../support/scripted-upstream.js';

const ROOT = new URL('../../', import.meta.url);
const DECISION = readFileSync(new URL('docs/decisions/0012-redis.md', ROOT), 'utf8');
/** What the decision tells operators to type. */
const RULES = /ACL SETUSER gateway (.*)/.exec(DECISION)?.[1]?.replace('PASSWORD', 'pass').split(' ') ?? [];

const DAY_MS = 24 * 3_600_000;
const GET = 'GetScheduler';
const ASK = { hostname: 's', scheduler_cluster_id: '1' };
const manager: SharedManager = {
  asked: [],
  auto: () => ok(responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's' })),
};

let servers: RedisProcess[] = [];
let replicas: Replica[] = [];
afterEach(async () => {
  for (const replica of replicas) replica.stop();
  await Promise.all(servers.map((server) => server.stop()));
  [servers, replicas] = [[], []];
});

async function server(rules: readonly string[], args: readonly string[] = []): Promise<RedisProcess> {
  const made = await startRedis({ args: [...args, '--user', 'gateway', ...rules] });
  servers.push(made);
  return made;
}
async function replica(redis: string, sets: readonly string[] = []): Promise<Replica> {
  const user = ['redis.username=gateway', 'redis.password=pass'];
  const made = await startReplica({ manager, redis, sets: [...user, ...sets] });
  replicas.push(made);
  return made;
}

/** Everything about registrations. */
async function registerAndDelete(redis: RedisProcess, sets: readonly string[]): Promise<GatewayEvent[]> {
  const rows = rowsManager();
  const options = {
    manager: rows,
    redis: redis.address,
    sets: ['redis.username=gateway', 'redis.password=pass', ...sets],
  };
  const [one, other] = [await registrationsReplica(options), await registrationsReplica(options)];
  const inTime = (request: UnaryRequest) => ({ ...request, deadlineMs: performance.now() + 20_000 });
  await one.part.write(inTime(registering('scheduler')));
  rows.there = false;
  expect((await other.part.write(inTime(registering('scheduler')))).journaled).toBe(true);
  rows.there = true;
  await lookingUntil([one, other], () => one.outcomes().length + other.outcomes().length > 0);
  await one.part.write(inTime(deleting()));
  return [...one.events, ...other.events].filter(({ kind }) => kind === 'redis-failed');
}

/** Everything that a gateway says to Redis, said once. */
async function useAll(redis: RedisProcess, sets: readonly string[] = []): Promise<void> {
  const client = redis.client(sets.includes('redis.db=1') ? { db: 1 } : {});
  const [one, other] = [await replica(redis.address, sets), await replica(redis.address, sets)];
  await one.ask(GET, ASK);
  await one.seen(({ kind }) => kind === 'redis-store-ended');
  expect((await other.ask(GET, ASK)).source).toBe('hit');
  other.path.written({ updates: [], deletes: [JSON.stringify(['scheduler', '1', 's'])] });
  const asked = one.read(GET, ASK);
  while (one.path.isFresh(asked)) await turn();
  const name = `dfmgw:1:{f1}:answer:${asked.question.key}`;
  await client.set(name, 'rubbish');
  const third = await replica(redis.address, sets);
  await third.ask(GET, ASK);
  await third.seen(({ kind }) => kind === 'redis-store-ended');
  expect(third.of('redis-answer-rejected')).toHaveLength(1);
  const { asked: common, key } = { asked: third.path.redis.asked, key: asked.question.key };
  const { path, message } = { path: asked.question.path, message: asked.message };
  expect(await common?.add([{ key, path, message, weight: 1, ageMs: 2 * DAY_MS }])).toBe(true);
  expect(await common?.add([{ key: 'other', path, message, weight: 1, ageMs: 0 }])).toBe(true);
  expect((await common?.read(() => true))?.map((each) => each.key)).toEqual(['other']);
  expect(replicas.flatMap((each) => each.of('redis-failed'))).toEqual([]);
  await asForLong(client, 'registrations');
  const failures = await registerAndDelete(redis, sets);
  expect(failures).toEqual([]);
  expect(await client.call('ACL', 'LOG')).toEqual([]);
}

describe('a user with the rights of decision 12', () => {
  it('may do all that a gateway does', async () => {
    await useAll(await server(RULES));
  });

  it('and in another database, with +select', async () => {
    await useAll(await server([...RULES, '+select']), ['redis.db=1']);
  });

  it('and in a cluster, with what ioredis asks there', async () => {
    const redis = await server(
      [...RULES, '+cluster|slots', '+cluster|info', '+client|setname'],
      ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
    );
    const client = redis.client();
    await client.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    while (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await turn();
    await useAll(redis, ['redis.mode=cluster']);
  });

  it('may do nothing else: every command is one that a script, or the client, says', () => {
    const files = readdirSync(new URL('src/', ROOT), { recursive: true, encoding: 'utf8' });
    const sources = files
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(new URL(`src/${file}`, ROOT), 'utf8'));
    const said = sources.flatMap((text) => [...text.matchAll(/(await )?redis\.p?call\('([A-Z]+)'/g)]);
    const inScripts = said
      .filter(([, byClient]) => byClient === undefined)
      .map(([, , command]) => command?.toLowerCase());
    // Of ioredis, and of `manager-gateway doctor`.
    const byClients = ['eval', 'evalsha', 'subscribe', 'info', 'ping'];
    const granted = RULES.filter((rule) => rule.startsWith('+')).map((rule) => rule.slice(1));
    expect(granted.toSorted()).toEqual([...new Set([...inScripts, ...byClients])].toSorted());
    expect(RULES.filter((rule) => !rule.startsWith('+'))).toEqual(['on', '>pass', '~dfmgw:*', '&dfmgw:*']);
  });

  it('cannot see what others keep in the same Redis', async () => {
    const redis = await server(RULES);
    const stranger = redis.client({ username: 'gateway', password: 'pass' });
    await redis.client().set('manager:schedulers', 'x');
    await expect(stranger.get('manager:schedulers')).rejects.toThrow('NOPERM');
    await expect(stranger.call('KEYS', '*')).rejects.toThrow('NOPERM');
  });
});
