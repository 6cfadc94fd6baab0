import { afterEach, describe, expect, it } from 'vitest';
import { responseOf, turn } from '../support/data-path.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { ok } from '../support/scripted-upstream.js';
import { faultsToldOnce } from '../support/told.js';

const GET = 'GetScheduler';
const ask = (hostname: string) => ({ hostname, scheduler_cluster_id: '1' });
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

async function server(options: Parameters<typeof startRedis>[0] = {}): Promise<RedisProcess> {
  const made = await startRedis(options);
  servers.push(made);
  return made;
}
async function replica(redis: string, sets: string[]): Promise<Replica> {
  const made = await startReplica({ manager, redis, sets });
  replicas.push(made);
  return made;
}
const stores = (one: Replica): number =>
  one.of('redis-store-ended').filter((e) => e.result === 'stored').length;

/** Asks until an answer was shared again; every caller is answered meanwhile. */
async function untilShared(one: Replica): Promise<void> {
  const before = stores(one);
  for (let i = 0; stores(one) === before; i++) {
    expect((await one.ask(GET, ask(`back-${i}`))).reply.status.code).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('answers are shared', () => {
  it('through Sentinel, and after its failover through the new master', async () => {
    const master = await server({ password: 'p', args: ['--repl-diskless-sync-delay', '0'] });
    const follower = await server({
      password: 'p',
      args: ['--replicaof', '127.0.0.1', String(master.port), '--masterauth', 'p'],
    });
    const client = follower.client();
    while (!(await client.info('replication')).includes('master_link_status:up'));
    const sentinel = await server({
      sentinel: [
        `sentinel monitor main 127.0.0.1 ${master.port} 1`,
        'sentinel auth-pass main p',
        'sentinel down-after-milliseconds main 500',
        'sentinel failover-timeout main 2000',
        'requirepass q',
      ],
    });
    const watcher = sentinel.client({ password: 'q' });
    while (!String(await watcher.call('SENTINEL', 'replicas', 'main')).includes(String(follower.port)));
    const sets = [
      'redis.mode=sentinel',
      'redis.masterName=main',
      'redis.password=p',
      'redis.sentinelPassword=q',
    ];
    const one = await replica(sentinel.address, sets);
    const other = await replica(sentinel.address, sets);
    await untilShared(one);
    expect((await other.ask(GET, ask('back-0'))).source).toBe('hit');
    await master.kill();
    await untilShared(one);
    expect(await client.info('replication')).toContain('role:master');
    expect(await faultsToldOnce(one.events, 'redis-failed')).toHaveProperty('connection');
    // Sentinel looks for replicas every 10 s, and a failover that found none ready is tried again.
  }, 90_000);

  it('through a cluster of three nodes, all of a fleet on one of them', async () => {
    const nodes = await Promise.all([1, 2, 3].map(() => server({ args: ['--cluster-enabled', 'yes'] })));
    const clients = nodes.map((node) => node.client());
    const third = Math.ceil(16_384 / 3);
    for (const [index, client] of clients.entries()) {
      await client.call('CLUSTER', 'ADDSLOTSRANGE', index * third, Math.min(16_383, (index + 1) * third - 1));
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      for (const node of nodes) await client.call('CLUSTER', 'MEET', '127.0.0.1', node.port);
    }
    for (const client of clients)
      while (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await turn();
    const redis = (nodes[0] as RedisProcess).address;
    const one = await replica(redis, ['redis.mode=cluster']);
    const other = await replica(redis, ['redis.mode=cluster']);
    await untilShared(one);
    expect((await other.ask(GET, ask('back-0'))).source).toBe('hit');
    one.path.written(undefined);
    const asked = other.read(GET, ask('back-0'));
    while (other.path.foresee(asked) === 'hit') await turn();
    const sizes = await Promise.all(clients.map((client) => client.dbsize()));
    expect(sizes.filter((size) => size > 0)).toHaveLength(1);
  });
});
