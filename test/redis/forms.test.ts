import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENVELOPE_SCHEMAS, type EnvelopeSchema } from '../../src/cache/redis/envelope.js';
import { decodeStoredEntry, encodeStoredEntry } from '../../src/cache/stored-entry.js';
import { responseOf } from '../support/data-path.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { ok } from '../support/scripted-upstream.js';

const GET = 'GetScheduler';
const ASK = { hostname: 's', scheduler_cluster_id: '1' };
const node = (idc: string): Buffer => responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's', idc });

/** What a version before this one might have written: the same, in another form that this one's decoder does not know. */
const older: EnvelopeSchema = {
  schema: 0,
  encode: (entry, now) => Buffer.from(`older ${encodeStoredEntry(entry, now).toString('base64')}`),
  decode(bytes, fleetId, now) {
    const text = bytes.toString('latin1');
    if (!text.startsWith('older ')) return { kind: 'invalid', detail: 'another form' };
    return decodeStoredEntry(Buffer.from(text.slice('older '.length), 'base64'), fleetId, now);
  },
};
const newer: EnvelopeSchema = {
  ...older,
  schema: 2,
  encode: (entry, now) => Buffer.from(`newer ${encodeStoredEntry(entry, now).toString('hex')}`),
  decode: (bytes, fleetId, now) =>
    decodeStoredEntry(Buffer.from(bytes.toString('latin1').slice('newer '.length), 'hex'), fleetId, now),
};

let redis: RedisProcess;
let manager: SharedManager;
let replicas: Replica[];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.client().flushall();
  manager = { asked: [], auto: () => ok(node('one')) };
  replicas = [];
});
afterEach(() => {
  for (const replica of replicas) replica.stop();
});

async function gateway(...forms: readonly EnvelopeSchema[]): Promise<Replica> {
  const sets = ['redis.secret=s3cret', 'cache.methods.GetScheduler.ttl=1h'];
  const made = await startReplica({ manager, redis: redis.address, forms, sets });
  replicas.push(made);
  return made;
}
const THIS = [...ENVELOPE_SCHEMAS, older];

/** Asks, and waits until the answer lies in Redis. */
async function put(one: Replica): Promise<void> {
  const before = one.of('redis-store-ended').length;
  await one.ask(GET, ASK);
  await one.seen(() => one.of('redis-store-ended').length > before);
}
const nameOf = (one: Replica, schema: number): string =>
  `dfmgw:${schema}:{f1}:answer:${one.read(GET, ASK).question.key}`;

describe('an answer of the version before', () => {
  it('is a hit for this one', async () => {
    const before = await gateway(older);
    await put(before);
    const one = await gateway(...THIS);
    const answer = await one.ask(GET, ASK);
    expect([answer.source, answer.reply.message]).toEqual(['hit', node('one')]);
    expect(manager.asked).toHaveLength(1);
    expect(one.of('redis-answer-rejected')).toEqual([]);
  });

  it('is checked as any other', async () => {
    const before = await gateway(older);
    await put(before);
    const client = redis.client();
    await client.setrange(nameOf(before, 0), 120, 'x');
    const one = await gateway(...THIS);
    expect((await one.ask(GET, ASK)).source).toBe('miss');
    expect(one.of('redis-answer-rejected').map(({ reason }) => reason)).toEqual(['check']);
    while ((await client.exists(nameOf(before, 0))) === 1);
  });

  it('gives way to what was asked for later, whichever version asked', async () => {
    const before = await gateway(older);
    const one = await gateway(...THIS);
    await put(before);
    manager.auto = () => ok(node('two'));
    one.path.written(undefined);
    await put(one);
    // Each writes its own form: both lie there now, and the later one is found.
    const client = redis.client();
    expect(await client.exists(nameOf(one, 0), nameOf(one, 1))).toBe(2);
    expect((await (await gateway(...THIS)).ask(GET, ASK)).reply.message).toEqual(node('two'));
    manager.auto = () => ok(node('three'));
    before.path.written(undefined);
    await put(before);
    const last = await (await gateway(...THIS)).ask(GET, ASK);
    expect([last.source, last.reply.message]).toEqual(['hit', node('three')]);
  });
});

it('an answer of a version to come is none for this one, and is left alone', async () => {
  const next = await gateway(newer, ...ENVELOPE_SCHEMAS);
  await put(next);
  const client = redis.client();
  const there = await client.getBuffer(nameOf(next, 2));
  expect(there).not.toBeNull();
  const one = await gateway(...THIS);
  manager.auto = () => ok(node('two'));
  await put(one);
  expect(manager.asked).toHaveLength(2);
  expect(await client.getBuffer(nameOf(next, 2))).toEqual(there);
  // And it reads what this one has written.
  const fresh = await (await gateway(newer, ...ENVELOPE_SCHEMAS)).ask(GET, ASK);
  expect([fresh.source, fresh.reply.message]).toEqual(['hit', node('two')]);
});
