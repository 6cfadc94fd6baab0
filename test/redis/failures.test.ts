import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { responseOf, turn } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { ok } from '../support/scripted-upstream.js';
import { faultsToldOnce } from '../support/told.js';

const GET = 'GetScheduler';
const ask = (hostname: string) => ({ hostname, scheduler_cluster_id: '1' });
const node = (hostname: string): Buffer => responseOf('/manager.v2.Manager/GetScheduler', { hostname });
const TIMEOUT_MS = 100;
/** Where it answers, and a busy machine is not to be taken for one that does not. */
const PATIENT_MS = 10_000;

let redis: RedisProcess;
let manager: SharedManager;
let replica: Replica | undefined;

beforeEach(() => {
  manager = { asked: [], auto: ({ message }) => ok(node(message.toString('latin1').slice(4))) };
});
afterEach(async () => {
  replica?.stop();
  await redis?.stop();
});

async function start(
  options: Parameters<typeof startRedis>[0] = {},
  sets: string[] = [],
  timeoutMs = TIMEOUT_MS,
): Promise<Replica> {
  redis = await startRedis(options);
  replica = await startReplica({ manager, redis: redis.address, timeout: `${timeoutMs}ms`, sets });
  return replica;
}

/** Every one of these is answered by the manager, none with an error. */
async function answersAll(one: Replica, name: string, count: number): Promise<number> {
  const beginMs = performance.now();
  const before = manager.asked.length;
  const answers = await Promise.all(
    Array.from({ length: count }, (_, i) => one.ask(GET, ask(`${name}-${i}`))),
  );
  expect(answers.map(({ source, reply }) => [source, reply.status.code])).toEqual(
    answers.map(() => ['miss', 0]),
  );
  expect(manager.asked.length - before).toBe(count);
  return performance.now() - beginMs;
}

/** What went wrong, by reason, how often; the log has told each once. */
const told = (one: Replica): Promise<Record<string, number>> => faultsToldOnce(one.events, 'redis-failed');

describe('a Redis that', () => {
  it('is killed costs no error and no time, and is used again when it is back', async () => {
    const one = await start();
    await answersAll(one, 'before', 50);
    await redis.kill();
    await answersAll(one, 'dead', 200);
    await one.seen((event) => event.kind === 'redis-failed' && event.reason === 'connection');
    expect(await told(one)).toHaveProperty('connection');
    await redis.restart();
    const stores = (): number => one.of('redis-store-ended').length;
    const before = stores();
    for (let i = 0; stores() === before; i++) {
      await one.ask(GET, ask(`back-${i}`));
      await turn();
    }
  });

  it('is frozen costs no more than one timeout, however many ask', async () => {
    const one = await start();
    await answersAll(one, 'before', 5);
    redis.freeze();
    const tookMs = await answersAll(one, 'frozen', 300);
    expect(tookMs).toBeGreaterThanOrEqual(TIMEOUT_MS - 5);
    expect(one.of('redis-breaker-changed').map(({ breaker, to }) => [breaker, to])).toContainEqual([
      'reads',
      'open',
    ]);
    // Nobody waits in the window, nor for the trials after it.
    await one.seen(
      ({ kind, ...event }) => kind === 'redis-breaker-changed' && 'to' in event && event.to === 'half-open',
    );
    const failures = one.of('redis-failed').filter(({ operation }) => operation === 'look-up').length;
    await answersAll(one, 'trial', 300);
    expect(one.of('redis-failed').filter(({ operation }) => operation === 'look-up')).toHaveLength(failures);
    redis.thaw();
    await one.seen(() =>
      one.of('redis-breaker-changed').some(({ breaker, to }) => breaker === 'reads' && to === 'closed'),
    );
    const { timeout } = await told(one);
    expect(timeout).toBeGreaterThan(0);
  });

  it('is frozen holds a call up for redis.timeout, whatever the machine is doing, and the next one not at all', async () => {
    redis = await startRedis();
    const clock = new ManualClock();
    replica = await startReplica({ manager, redis: redis.address, clock, timeout: '30s' });
    const one = replica;
    await one.ask(GET, ask('before'));
    await one.seen(({ kind }) => kind === 'redis-store-ended');
    redis.freeze();
    let answered = 0;
    const asked = Array.from({ length: 50 }, (_, i) => one.ask(GET, ask(`frozen-${i}`)));
    for (const answer of asked) void answer.then(() => answered++);
    for (let i = 0; i < 20; i++) await turn();
    expect(answered).toBe(0);
    clock.advance(29_999);
    for (let i = 0; i < 20; i++) await turn();
    expect(answered).toBe(0);
    clock.advance(1);
    expect((await Promise.all(asked)).map(({ source }) => source)).toEqual(asked.map(() => 'miss'));
    // No time passes any more, and everyone is answered.
    await answersAll(one, 'after', 50);
    expect(await told(one)).toEqual({ timeout: one.of('redis-failed').length });
  });

  it('is out of memory costs no error, and still gives what it has', async () => {
    const one = await start({}, [], PATIENT_MS);
    await answersAll(one, 'before', 1);
    await one.seen(({ kind }) => kind === 'redis-store-ended');
    const client = redis.client();
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    await client.config('SET', 'maxmemory', '1');
    await answersAll(one, 'full', 50);
    await one.seen((event) => event.kind === 'redis-failed' && event.reason === 'out-of-memory');
    const other = await startReplica({ manager, redis: redis.address });
    expect((await other.ask(GET, ask('before-0'))).source).toBe('hit');
    other.stop();
    expect(await told(one)).toHaveProperty('out-of-memory');
  });

  it('is read-only costs no error, and still gives what it has', async () => {
    const one = await start({}, [], PATIENT_MS);
    await answersAll(one, 'before', 1);
    await one.seen(({ kind }) => kind === 'redis-store-ended');
    const follower = await startRedis({ args: ['--replicaof', '127.0.0.1', String(redis.port)] });
    const client = follower.client();
    while (!(await client.info('replication')).includes('master_link_status:up'));
    const reader = await startReplica({ manager, redis: follower.address });
    expect((await reader.ask(GET, ask('before-0'))).source).toBe('hit');
    await answersAll(reader, 'read-only', 50);
    reader.path.written({ updates: ['tag'], deletes: [] });
    await reader.seen((event) => event.kind === 'redis-failed' && event.reason === 'read-only');
    expect(await told(reader)).toEqual({ 'read-only': reader.of('redis-failed').length });
    reader.stop();
    await follower.stop();
  });

  it('wants another password costs no error, and no line shows ours', async () => {
    const one = await start({ password: 'right' }, ['redis.password=wrong-one']);
    await answersAll(one, 'denied', 50);
    await one.seen((event) => event.kind === 'redis-failed' && event.reason === 'denied');
    expect(JSON.stringify(one.events)).not.toContain('wrong-one');
    expect(await told(one)).toHaveProperty('denied');
  });

  it('takes the password of a user of its own', async () => {
    const one = await start({ args: ['--user', 'gate', 'on', '>pass', '~dfmgw:*', '&dfmgw:*', '+@all'] }, [
      'redis.username=gate',
      'redis.password=pass',
    ]);
    await one.ask(GET, ask('a'));
    await one.seen((event) => event.kind === 'redis-store-ended');
    expect(one.of('redis-failed')).toEqual([]);
  });
});

describe('what is no Redis at all', () => {
  let server: Server;
  const sockets = new Set<Socket>();

  async function liar(reply: (command: string) => string): Promise<Replica> {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => socket.write(reply(bytes.toString('latin1'))));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    replica = await startReplica({ manager, redis: `127.0.0.1:${port}`, timeout: `${TIMEOUT_MS}ms` });
    return replica;
  }
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it.each([
    ['noise', () => 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['OK to everything', () => '+OK\r\n'],
    ['lists that mean nothing', () => '*4\r\n$3\r\nabc\r\n*0\r\n*0\r\n*0\r\n'],
    [
      'times without end',
      () =>
        '*4\r\n$20\r\n99999999999999999999\r\n*1\r\n*1\r\n$4\r\nnone\r\n*3\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n*3\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n',
    ],
    ['nothing', () => ''],
  ])('and says %s costs no error', async (_, reply) => {
    const one = await liar(reply);
    await answersAll(one, 'lied', 50);
  });
});
