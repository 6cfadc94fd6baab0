import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { OffsetClock, type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { hostnamesIn, searching, type World } from '../support/searcher-replies.js';

const LIST = 'ListSchedulers';
const cluster = (id: number, scopes: World[number]['scopes']): World[number] => ({
  id,
  name: `c${id}`,
  scopes,
  isDefault: false,
  schedulers: 1,
});
const OPEN: World = [cluster(1, { idc: 'a' }), cluster(2, { idc: 'b' })];
const daemon = (n: number, over: object): object => ({
  source_type: 'PEER_SOURCE',
  hostname: `node-${n}`,
  ip: `10.0.0.${n}`,
  ...over,
});

let redis: RedisProcess;
let manager: SharedManager;
let replicas: Replica[];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.client().flushall();
  manager = { asked: [], auto: searching(() => OPEN) };
  replicas = [];
});
afterEach(() => {
  for (const one of replicas) one.stop();
});

async function replica(over: Partial<Parameters<typeof startReplica>[0]> = {}): Promise<Replica> {
  const made = await startReplica({ manager, redis: redis.address, ...over });
  replicas.push(made);
  return made;
}
const stored = (one: Replica, times: number): Promise<unknown> =>
  one.seen(() => one.of('redis-store-ended').filter(({ result }) => result === 'stored').length >= times);
const away = (): void => {
  manager.auto = () => new GatewayError('manager-unavailable', 'gone');
};

describe('a replica that starts with nothing but Redis, the manager gone', () => {
  it('has something to serve before anybody asks, for those from where nobody ever asked, too', async () => {
    const before = await replica();
    await before.ask(LIST, daemon(1, { idc: 'a' }));
    await stored(before, 2);
    away();
    const after = await replica();
    expect(after.path.store.count).toBe(1);
    expect((await after.ask(LIST, daemon(2, { idc: 'a' }))).via).toBe('shared');
    const newcomer = await after.ask(LIST, daemon(3, { idc: 'new' }));
    expect([newcomer.via, hostnamesIn(newcomer.reply.message)]).toEqual(['elsewhere', ['c1-s0', 'c2-s0']]);
  });

  it('takes the newest list there is, not the first that ever was', async () => {
    const clock = new OffsetClock(1_000, 0);
    const before = await replica({ clock });
    await before.ask(LIST, daemon(1, { idc: 'a' }));
    await stored(before, 2);
    // So soon afterwards it is not laid there again: two writes for one answer would be the price.
    await before.ask(LIST, daemon(2, { idc: 'c' }));
    await stored(before, 3);
    clock.pass(10_000);
    await before.ask(LIST, daemon(3, { idc: 'b' }));
    await stored(before, 5);
    away();
    const after = await replica();
    const [list] = [...after.path.store.entries()];
    expect(hostnamesIn(list?.reply.message)).toEqual(['c2-s0', 'c1-s0']);
  });

  it('that found nothing when it started gives the first to ask what lies there for its place, not a list of elsewhere', async () => {
    // What it finds is not fresh: the manager is asked, and fails, before anybody knows who would get the same.
    const after = await replica({ yaml: 'cache: { methods: { ListSchedulers: { ttl: 0s, swr: 0s } } }' });
    expect(after.path.store.count).toBe(0);
    const before = await replica();
    await before.ask(LIST, daemon(1, { idc: 'a' }));
    await before.ask(LIST, daemon(2, { idc: 'b' }));
    await stored(before, 3);
    away();
    const answer = await after.ask(LIST, daemon(3, { idc: 'b' }));
    expect([answer.via, hostnamesIn(answer.reply.message)]).toEqual(['shared', ['c2-s0', 'c1-s0']]);
  });

  it('gives who asks for one cluster by its id what lies there for that cluster', async () => {
    const clock = new OffsetClock(1_000, 0);
    const before = await replica({ clock });
    manager.auto = searching(() => [cluster(1, {})]);
    await before.ask(LIST, daemon(1, { scheduler_cluster_id: '1' }));
    await stored(before, 2);
    away();
    const after = await replica();
    const answer = await after.ask(LIST, daemon(2, { scheduler_cluster_id: '1' }));
    expect([answer.via, hostnamesIn(answer.reply.message)]).toEqual(['shared', ['c1-s0']]);
    await expect(after.ask(LIST, daemon(2, { scheduler_cluster_id: '2' }))).rejects.toThrow('gone');
  });

  it('does not look while it only observes', async () => {
    const before = await replica();
    await before.ask(LIST, daemon(1, { idc: 'a' }));
    await stored(before, 2);
    const after = await replica({ mode: 'observe' });
    expect([after.path.store.count, after.of('redis-looked-up')]).toEqual([0, []]);
  });
});
