import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { checkRedis } from '../../src/cli/doctor/redis.js';
import type { TlsFault } from '../../src/observe/tls-fault.js';
import { type Certificates, makeAuthority, makeCertificates, type Pair } from '../support/certificates.js';
import { responseOf, turn } from '../support/data-path.js';
import { type RedisDeployment, startCluster, startSentinel } from '../support/redis-deployments.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { ok } from '../support/scripted-upstream.js';
import { faultsToldOnce, linesOf, samplesOf } from '../support/told.js';

const GET = 'GetScheduler';
const ask = (hostname: string) => ({ hostname, scheduler_cluster_id: '1' });
const manager: SharedManager = {
  asked: [],
  auto: () => ok(responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's' })),
};
const ours = makeCertificates();
const strangers = makeCertificates();
const otherName = makeCertificates('DNS:redis.elsewhere');
const [expired, lateClient] = ((authority) => {
  const [good, late] = [authority.leaf('good'), authority.leaf('late', { days: -1 })];
  authority.end();
  const { caCert } = authority;
  return [
    { caCert, server: late, client: late },
    { caCert, server: good, client: late },
  ] as const;
})(makeAuthority());

let servers: RedisProcess[] = [];
let replicas: Replica[] = [];
let deployment: RedisDeployment | undefined;
afterEach(async () => {
  for (const replica of replicas) replica.stop();
  await Promise.all([deployment?.stop(), ...servers.map((server) => server.stop())]);
  [servers, replicas, deployment] = [[], [], undefined];
});

async function server(
  certificates: Certificates,
  clientAuth: boolean,
  args: readonly string[] = [],
): Promise<RedisProcess> {
  const made = await startRedis({ tls: { certificates, clientAuth }, args });
  servers.push(made);
  return made;
}
async function replica(redis: string, sets: readonly string[]): Promise<Replica> {
  const made = await startReplica({ manager, redis, sets });
  replicas.push(made);
  return made;
}
const withCaOf = ({ caCert }: Certificates) => ['redis.tls.enable=true', `redis.tls.caCert=${caCert}`];
const withCa = withCaOf(ours);
const pairOf = ({ cert, key }: Pair) => [`redis.tls.cert=${cert}`, `redis.tls.key=${key}`];
const withPair = [...withCa, ...pairOf(ours.client)];

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
  const wrong = [...withCaOf(strangers), ...pairOf(strangers.client)];

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

/** What the log and the metrics may call it: where Redis objects to a certificate, a reset is often all that arrives of its reason. */
const objected = (alert: string): RegExp =>
  new RegExp(`TLS: .*${alert}|ECONNRESET.*does it accept the certificate of redis.tls.cert\\?`);
const UNKNOWN_AUTHORITY = /^unable to |^self-signed certificate/;
type Row = [string, Certificates, boolean, readonly string[], RegExp, readonly TlsFault[]];
const REFUSED: readonly Row[] = [
  ['the authority is another one', ours, false, withCaOf(strangers), UNKNOWN_AUTHORITY, ['authority']],
  [
    'the certificate is for another name',
    otherName,
    false,
    withCaOf(otherName),
    /does not match certificate's altnames/,
    ['name'],
  ],
  [
    'the gateway has been given no authority',
    ours,
    false,
    ['redis.tls.enable=true'],
    UNKNOWN_AUTHORITY,
    ['authority'],
  ],
  [
    'the certificate has expired',
    expired,
    false,
    withCaOf(expired),
    /^certificate has expired$/,
    ['expired'],
  ],
  [
    'the gateway has no certificate that Redis wants',
    ours,
    true,
    withCa,
    objected('certificate required'),
    ['certificate'],
  ],
  [
    'the gateway has one of other people',
    ours,
    true,
    [...withCa, ...pairOf(strangers.client)],
    objected('unknown ca'),
    ['certificate', 'authority'],
  ],
  [
    'the gateway has one that has expired',
    lateClient,
    true,
    [...withCaOf(lateClient), ...pairOf(lateClient.client)],
    objected('certificate expired'),
    ['certificate', 'expired'],
  ],
  ['only Redis speaks TLS', ours, false, [], /ECONNRESET \(does it want TLS\?\)$/, ['plaintext']],
];

describe('no caller notices, and one line tells of it and a counter says which it is, where', () => {
  it.each(REFUSED)('%s', async (_, certificates, clientAuth, sets, words, faults) => {
    const { address } = await server(certificates, clientAuth);
    await expectRefusal(await replica(address, sets), words, faults);
  });

  it('Redis speaks TLS 1.1 at most', async () => {
    const old = ['--tls-protocols', 'TLSv1.1', '--tls-ciphers', 'DEFAULT@SECLEVEL=0'];
    const { address } = await server(ours, false, old);
    await expectRefusal(await replica(address, withCa), /^TLS: .*protocol version$/, ['version']);
  });

  it('only the gateway does: Redis waits for the end of a line', async () => {
    const plain = await startRedis();
    servers.push(plain);
    // Now and then a ClientHello has the end of a line in it.
    const words = /ETIMEDOUT \(does it speak TLS\?\)$|wrong version number/;
    await expectRefusal(await replica(plain.address, withCa), words, ['plaintext']);
  });

  it('the authority of Sentinel is another one, and ioredis does not say so: the line names who does', async () => {
    deployment = await startSentinel({ tls: { certificates: ours, clientAuth: false } });
    const one = await replica(deployment.address, [...withCaOf(strangers), ...deployment.sets]);
    await one.seen(({ kind }) => kind === 'redis-failed');
    await expectUnshared(one);
    expect(one.of('redis-failed')[0]?.detail).toContain('manager-gateway doctor');
    const found = await checkRedis(one.config.redis, 'f1');
    expect(found.map(({ found }) => found)).toContainEqual(expect.stringMatching(UNKNOWN_AUTHORITY));
  });
});

const reset = (socket: Socket): void => void socket.once('data', () => socket.resetAndDestroy());
const silent = (): void => undefined;

describe('one that was spoken with is lost, and nothing is wrong with TLS', () => {
  it.each([
    ['in plaintext, where connections are reset', false, reset],
    ['over TLS, where connections are reset', true, reset],
    ['over TLS, where nobody answers', true, silent],
  ])('%s', async (_, tls, meet) => {
    const before = tls ? await server(ours, false) : await startRedis();
    if (!tls) servers.push(before);
    const one = await replica(before.address, tls ? withCa : []);
    await untilShared(one);
    await before.kill();
    const met: Socket[] = [];
    const inItsPlace = createServer((socket) => {
      met.push(socket.on('error', () => undefined));
      meet(socket);
    }).listen(before.port, '127.0.0.1');
    const dialled = () =>
      one.of('redis-failed').filter(({ operation }) => /^(connect|subscribe)$/.test(operation));
    while (met.length < 2) await turn();
    const known = dialled().length;
    while (dialled().length < known + 2) await turn();
    for (const socket of met) socket.destroy();
    inItsPlace.close();
    const counted = Object.values(await samplesOf(one.events, 'tls_failures_total'));
    expect(counted.filter((count) => count > 0)).toEqual([]);
    expect(linesOf(one.events).filter((line) => 'tls' in line)).toEqual([]);
  });
});

async function expectRefusal(one: Replica, words: RegExp, faults: readonly TlsFault[]): Promise<void> {
  await one.seen(({ kind }) => kind === 'redis-failed');
  await expectUnshared(one);
  for (const { detail } of one.of('redis-failed')) expect(detail).toMatch(words);
  const counted = Object.entries(await samplesOf(one.events, 'tls_failures_total'));
  const moved = counted.filter(([, count]) => count > 0).map(([labels]) => labels);
  expect(moved.length).toBeGreaterThan(0);
  expect(faults.map((fault) => `{peer="redis",fault="${fault}"}`)).toEqual(expect.arrayContaining(moved));
  const [line] = linesOf(one.events).filter(({ event }) => event === 'redis-failed');
  expect(faults).toContain(line?.tls);
}

async function expectUnshared(one: Replica): Promise<void> {
  for (let i = 0; i < 20; i++) {
    const { source, reply } = await one.ask(GET, ask(`n-${i}`));
    expect([source, reply.status.code]).toEqual(['miss', 0]);
  }
  expect(Object.keys(await faultsToldOnce(one.events, 'redis-failed'))).toHaveLength(1);
  expect(one.of('redis-store-ended')).toEqual([]);
}
