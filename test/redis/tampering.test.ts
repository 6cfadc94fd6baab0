import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/cache/entry.js';
import { createEnvelope, ENVELOPE_SCHEMAS, type EnvelopeSchema } from '../../src/cache/redis/envelope.js';
import { decodeRequest } from '../../src/route/proto.js';
import { responseOf } from '../support/data-path.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { ok } from '../support/scripted-upstream.js';
import { faultsToldOnce } from '../support/told.js';

const GET = 'GetScheduler';
const ask = (hostname: string) => ({ hostname, scheduler_cluster_id: '1' });
const node = (hostname: string, idc: string): Buffer =>
  responseOf('/manager.v2.Manager/GetScheduler', { hostname, idc });

let redis: RedisProcess;
let client: Redis;
let manager: SharedManager;
let version: string;
let replicas: Replica[];

beforeAll(async () => {
  redis = await startRedis();
  client = redis.client();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await client.flushall();
  version = 'one';
  manager = {
    asked: [],
    auto: ({ path, message }) => ok(node(String(decodeRequest(path, message).hostname), version)),
  };
  replicas = [];
});
afterEach(() => {
  for (const replica of replicas) replica.stop();
});

async function replica(over: Partial<Parameters<typeof startReplica>[0]> = {}): Promise<Replica> {
  const made = await startReplica({ manager, redis: redis.address, sets: ['redis.secret=s3cret'], ...over });
  replicas.push(made);
  return made;
}
const nameOf = (one: Replica, hostname: string, fleet = 'f1'): string =>
  `dfmgw:1:{${fleet}}:answer:${one.read(GET, ask(hostname)).question.key}`;

async function put(one: Replica, hostname: string): Promise<Buffer> {
  const before = one.of('redis-store-ended').length;
  await one.ask(GET, ask(hostname));
  await one.seen(() => one.of('redis-store-ended').length > before);
  const fleet = one.config.fleet.id;
  return (await client.getBuffer(nameOf(one, hostname, fleet))) as Buffer;
}

/** A new replica finds what was put there, asks the manager instead, and says why. */
async function expectRejected(hostname: string, reason: string): Promise<void> {
  version = 'two';
  const fresh = await replica();
  const answer = await fresh.ask(GET, ask(hostname));
  expect([answer.source, answer.reply.message]).toEqual(['miss', node(hostname, 'two')]);
  expect(await faultsToldOnce(fresh.events, 'redis-answer-rejected')).toEqual({ [reason]: 1 });
  expect(fresh.of('redis-failed')).toEqual([]);
}

describe('in Redis', () => {
  it("two answers' values swapped are none", async () => {
    const one = await replica();
    const [a, b] = [await put(one, 'a'), await put(one, 'b')];
    await client.set(nameOf(one, 'a'), b);
    await client.set(nameOf(one, 'b'), a);
    await expectRejected('a', 'check');
    await expectRejected('b', 'check');
  });

  it("another fleet's answer under our key is none", async () => {
    const other = await replica({ fleet: 'f2' });
    const one = await replica();
    await client.set(nameOf(one, 'a'), await put(other, 'a'));
    await expectRejected('a', 'check');
  });

  it('one that was not signed is none', async () => {
    const unsigned = await replica({ sets: [] });
    await put(unsigned, 'a');
    await expectRejected('a', 'check');
  });

  it('one signed with another secret is none', async () => {
    await put(await replica({ sets: ['redis.secret=guess'] }), 'a');
    await expectRejected('a', 'check');
  });

  it('an old one replayed is not gone back to, and is told of', async () => {
    const one = await replica();
    const old = await put(one, 'a');
    version = 'two';
    one.path.written(undefined);
    await put(one, 'a');
    await client.set(nameOf(one, 'a'), old);
    version = 'three';
    one.path.written(undefined);
    const answer = await one.ask(GET, ask('a'));
    expect(answer.reply.message).toEqual(node('a', 'three'));
    expect(await faultsToldOnce(one.events, 'redis-answer-rejected')).toEqual({ 'went-back': 1 });
  });

  it('one of a later gateway is left alone, and one of another type gives way', async () => {
    const one = await replica();
    const sealed = await put(one, 'a');
    const later = Buffer.from(sealed.toString('latin1').replace('dfmgw1', 'dfmgw2'), 'latin1');
    await client.set(nameOf(one, 'a'), later);
    await expectRejected('a', 'unknown-schema');
    expect(await client.getBuffer(nameOf(one, 'a'))).toEqual(later);
    await client.del(nameOf(one, 'b'));
    await client.rpush(nameOf(one, 'b'), 'x');
    await expectRejected('b', 'other-type');
  });

  it('one that says it was asked for in the future is none, and gives way', async () => {
    const one = await replica();
    const seconds = Number((await client.time())[0]);
    const asked = { earliestUs: (seconds + 3_600) * 1_000_000, latestUs: (seconds + 3_600) * 1_000_000 };
    await put(one, 'a');
    const entry = one.path.store.peek(one.read(GET, ask('a')).question.key) as Entry;
    const name = nameOf(one, 'a');
    const sealed = createEnvelope({ secret: 's3cret', fleetId: 'f1' }).seal(name, entry, asked, {
      wallMs: asked.earliestUs / 1000,
      nowMs: entry.askedAtMs,
    });
    await client.set(name, sealed);
    await expectRejected('a', 'from-the-future');
    const last = replicas.at(-1) as Replica;
    await last.seen(({ kind }) => kind === 'redis-store-ended');
    expect(last.of('redis-store-ended').map(({ result }) => result)).toEqual(['stored']);
  });

  it('what was dropped is no longer there', async () => {
    const one = await replica();
    await put(one, 'a');
    const name = nameOf(one, 'a');
    await client.set(name, 'rubbish');
    manager.auto = () => new Error('gone');
    const fresh = await replica();
    await expect(fresh.ask(GET, ask('a'))).rejects.toThrow();
    while ((await client.exists(name)) === 1);
    expect(await faultsToldOnce(fresh.events, 'redis-answer-rejected')).toEqual({ unreadable: 1 });
  });
});

it('a bit flipped in any byte of an answer costs its callers nothing: all are counted, and each kind is told once', async () => {
  const one = await replica();
  const hosts = (count: number) => Array.from({ length: count }, (_, i) => `h${10_000 + i}`);
  await put(one, 'h10000');
  const template = one.path.store.peek(one.read(GET, ask('h10000')).question.key) as Entry;
  const at = Number((await client.time())[0]) * 1_000_000;
  const envelope = createEnvelope({ secret: 's3cret', fleetId: 'f1' });
  const sealedFor = (host: string): Buffer => {
    const entry = { ...template, question: one.read(GET, ask(host)).question };
    const now = { wallMs: at / 1000, nowMs: template.askedAtMs };
    return envelope.seal(nameOf(one, host), entry, { earliestUs: at, latestUs: at }, now);
  };
  const flipped = hosts(sealedFor('h10000').length);
  for (const [byte, host] of flipped.entries()) {
    const sealed = sealedFor(host);
    sealed.writeUInt8(sealed.readUInt8(byte) ^ (1 << (byte % 8)), byte);
    await client.set(nameOf(one, host), sealed);
  }
  const sound = sealedFor('h99999');
  await client.set(nameOf(one, 'h99999'), sound);
  version = 'two';
  const fresh = await replica();
  expect((await fresh.ask(GET, ask('h99999'))).source).toBe('hit');
  for (const host of flipped) {
    const { source, reply } = await fresh.ask(GET, ask(host));
    if (source !== 'miss' || reply.message?.equals(node(host, 'two')) !== true)
      expect(host).toBe('answered by the manager');
  }
  const counted = await faultsToldOnce(fresh.events, 'redis-answer-rejected');
  expect(Object.values(counted).reduce((sum, count) => sum + count)).toBe(flipped.length);
  expect(Object.keys(counted).sort()).toEqual(['check', 'unreadable']);
});

describe('an envelope', () => {
  it('with a bit flipped in any position is none, with a secret and without', async () => {
    for (const secret of ['', 's3cret']) {
      const one = await replica({
        sets: secret === '' ? [] : [`redis.secret=${secret}`],
        fleet: `flip${secret}`,
      });
      const sealed = await put(one, 'a');
      const name = nameOf(one, 'a', `flip${secret}`);
      const envelope = createEnvelope({ secret, fleetId: `flip${secret}` });
      const schema = ENVELOPE_SCHEMAS[0] as EnvelopeSchema;
      const now = { wallMs: Date.now() + 1_000, nowMs: 0 };
      expect(envelope.open(name, schema, sealed, now).kind).toBe('entry');
      const opened: string[] = [];
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const flipped = Buffer.from(sealed);
        flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        opened.push(envelope.open(name, schema, flipped, now).kind);
      }
      expect(opened.filter((kind) => kind === 'entry')).toEqual([]);
      for (let length = 0; length < sealed.length; length++)
        expect(envelope.open(name, schema, sealed.subarray(0, length), now).kind).toBe('rejected');
    }
  });
});
