import { afterEach, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../support/certificates.js';
import { responseOf, turn } from '../support/data-path.js';
import { type RedisDeployment, startCluster, startSentinel } from '../support/redis-deployments.js';
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
const ours = makeCertificates();
const strangers = makeCertificates();
const otherName = makeCertificates('DNS:redis.elsewhere');

let servers: RedisProcess[] = [];
let replicas: Replica[] = [];
let deployment: RedisDeployment | undefined;
afterEach(async () => {
  for (const replica of replicas) replica.stop();
  await Promise.all([deployment?.stop(), ...servers.map((server) => server.stop())]);
  [servers, replicas, deployment] = [[], [], undefined];
});

async function server(certificates: Certificates, clientAuth: boolean): Promise<RedisProcess> {
  const made = await startRedis({ tls: { certificates, clientAuth } });
  servers.push(made);
  return made;
}
async function replica(redis: string, sets: readonly string[]): Promise<Replica> {
  const made = await startReplica({ manager, redis, sets });
  replicas.push(made);
  return made;
}
const withCa = ['redis.tls.enable=true', `redis.tls.caCert=${ours.caCert}`];
const withPair = [...withCa, `redis.tls.cert=${ours.client.cert}`, `redis.tls.key=${ours.client.key}`];

/** Asks until an answer lies in Redis; every caller is answered meanwhile. */
async function untilShared(one: Replica): Promise<void> {
  const stored = () => one.of('redis-store-ended').filter(({ result }) => result === 'stored').length;
  const before = stored();
  for (let i = 0; stored() === before; i++) {
    expect((await one.ask(GET, ask(`h-${i}`))).reply.status.code).toBe(0);
    await turn();
  }
}

describe('over TLS answers are shared', () => {
  it.each([
    ['a Redis that asks nobody for a certificate', false, withCa],
    ['one that does, as Redis does by default', true, withPair],
  ])('by %s', async (_, clientAuth, sets) => {
    const { address } = await server(ours, clientAuth);
    const [one, other] = [await replica(address, sets), await replica(address, sets)];
    await untilShared(one);
    expect((await other.ask(GET, ask('h-0'))).source).toBe('hit');
    // News travel on the other connection.
    one.path.written(undefined);
    const asked = other.read(GET, ask('h-0'));
    while (other.path.isFresh(asked)) await turn();
    expect([...one.of('redis-failed'), ...other.of('redis-failed')]).toEqual([]);
  });

  it('by Sentinel, with passwords, and after its failover by the new master', async () => {
    deployment = await startSentinel({ tls: { certificates: ours, clientAuth: true } });
    const sets = [...withPair, ...deployment.sets];
    const one = await replica(deployment.address, sets);
    await untilShared(one);
    const other = await replica(deployment.address, sets);
    expect((await other.ask(GET, ask('h-0'))).source).toBe('hit');
    await deployment.master.kill();
    await untilShared(one);
    expect(await deployment.clients[1]?.info('replication')).toContain('role:master');
    const stranger = await replica(deployment.address, [...sets, 'redis.sentinelPassword=wrong']);
    expect((await stranger.ask(GET, ask('h-0'))).source).toBe('miss');
    await stranger.seen((event) => event.kind === 'redis-failed' && event.reason === 'denied');
    expect(JSON.stringify(stranger.events)).not.toContain('wrong');
  }, 90_000);

  it('by a cluster', async () => {
    deployment = await startCluster({ tls: { certificates: ours, clientAuth: true } });
    const sets = [...withPair, ...deployment.sets];
    const one = await replica(deployment.address, sets);
    await untilShared(one);
    const other = await replica(deployment.address, sets);
    expect((await other.ask(GET, ask('h-0'))).source).toBe('hit');
  });
});

describe('a name that the certificates carry', () => {
  it('is looked for instead of the address that is dialled', async () => {
    const { address } = await server(otherName, false);
    const sets = [
      'redis.tls.enable=true',
      `redis.tls.caCert=${otherName.caCert}`,
      'redis.tls.serverName=redis.elsewhere',
    ];
    await untilShared(await replica(address, sets));
    const wrong = await replica(address, [...sets, 'redis.tls.serverName=redis.nowhere']);
    await wrong.seen(({ kind }) => kind === 'redis-failed');
    await expectUnshared(wrong);
  });
});

describe('other certificates', () => {
  const wrong = [
    'redis.tls.enable=true',
    `redis.tls.caCert=${strangers.caCert}`,
    `redis.tls.cert=${strangers.client.cert}`,
    `redis.tls.key=${strangers.client.key}`,
  ];

  it.each(['single', 'sentinel', 'cluster'])(
    'are used from the next connection on: %s',
    async (mode) => {
      const tls = { certificates: ours, clientAuth: true };
      if (mode === 'sentinel') deployment = await startSentinel({ tls });
      if (mode === 'cluster') deployment = await startCluster({ tls });
      const address = deployment?.address ?? (await server(ours, true)).address;
      const one = await replica(address, [...wrong, ...(deployment?.sets ?? [])]);
      await one.seen(({ kind }) => kind === 'redis-failed');
      // As a reload does it: in place.
      Object.assign(one.config.redis.tls, { caCert: ours.caCert, ...ours.client });
      await untilShared(one);
    },
    60_000,
  );
});

describe('no caller notices, and one line tells of it, where', () => {
  it.each([
    [
      'the authority is another one',
      ours,
      false,
      ['redis.tls.enable=true', `redis.tls.caCert=${strangers.caCert}`],
    ],
    [
      'the certificate is for another name',
      otherName,
      false,
      ['redis.tls.enable=true', `redis.tls.caCert=${otherName.caCert}`],
    ],
    ['the gateway has been given no authority', ours, false, ['redis.tls.enable=true']],
    ['the gateway has no certificate that Redis wants', ours, true, withCa],
    [
      'the gateway has one of other people',
      ours,
      true,
      [...withCa, `redis.tls.cert=${strangers.client.cert}`, `redis.tls.key=${strangers.client.key}`],
    ],
    ['only Redis speaks TLS', ours, false, []],
  ])('%s', async (_, certificates, clientAuth, sets) => {
    const { address } = await server(certificates, clientAuth);
    const one = await replica(address, sets);
    await one.seen(({ kind }) => kind === 'redis-failed');
    await expectUnshared(one);
  });

  it('only the gateway does', async () => {
    const plain = await startRedis();
    servers.push(plain);
    const one = await replica(plain.address, withCa);
    await one.seen(({ kind }) => kind === 'redis-failed');
    // Redis waits for the end of a line that never comes.
    await expectUnshared(one, 'timeout');
  });
});

async function expectUnshared(one: Replica, reason = 'connection'): Promise<void> {
  for (let i = 0; i < 20; i++) {
    const { source, reply } = await one.ask(GET, ask(`n-${i}`));
    expect([source, reply.status.code]).toEqual(['miss', 0]);
  }
  expect(Object.keys(await faultsToldOnce(one.events, 'redis-failed'))).toEqual([reason]);
  expect(one.of('redis-store-ended')).toEqual([]);
}
