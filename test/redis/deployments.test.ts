import { afterEach, describe, expect, it } from 'vitest';
import { responseOf, turn } from '../support/data-path.js';
import { type RedisDeployment, startCluster, startSentinel } from '../support/redis-deployments.js';
import { type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { ok } from '../support/scripted-upstream.js';
import { faultsToldOnce } from '../support/told.js';

const GET = 'GetScheduler';
const ask = (hostname: string) => ({ hostname, scheduler_cluster_id: '1' });
const manager: SharedManager = {
  asked: [],
  auto: () => ok(responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's' })),
};
let deployment: RedisDeployment;
let replicas: Replica[] = [];

afterEach(async () => {
  for (const replica of replicas) replica.stop();
  await deployment.stop();
  replicas = [];
});

async function replica(): Promise<Replica> {
  const made = await startReplica({ manager, redis: deployment.address, sets: deployment.sets });
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
    deployment = await startSentinel();
    const [one, other] = [await replica(), await replica()];
    await untilShared(one);
    expect((await other.ask(GET, ask('back-0'))).source).toBe('hit');
    await deployment.master.kill();
    await untilShared(one);
    expect(await deployment.clients[1]?.info('replication')).toContain('role:master');
    expect(await faultsToldOnce(one.events, 'redis-failed')).toHaveProperty('connection');
    // Sentinel looks for replicas every 10 s, and a failover that found none ready is tried again.
  }, 90_000);

  it('through a cluster of three nodes, all of a fleet on one of them', async () => {
    deployment = await startCluster();
    const [one, other] = [await replica(), await replica()];
    await untilShared(one);
    expect((await other.ask(GET, ask('back-0'))).source).toBe('hit');
    one.path.written(undefined);
    const asked = other.read(GET, ask('back-0'));
    while (other.path.isFresh(asked)) await turn();
    const sizes = await Promise.all(deployment.clients.map((client) => client.dbsize()));
    expect(sizes.filter((size) => size > 0)).toHaveLength(1);
  });
});
