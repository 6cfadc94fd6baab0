import { expect, it } from 'vitest';
import type { Entry } from '../../src/cache/entry.js';
import { createMemoryStore } from '../../src/cache/memory.js';
import { createAnswersInRedis } from '../../src/cache/redis/answers.js';
import { createEnvelope } from '../../src/cache/redis/envelope.js';
import type { RedisExchange } from '../../src/cache/redis/exchange.js';
import { remember } from '../../src/cache/remember.js';
import { createVoids } from '../../src/cache/voids.js';
import { redisKeys } from '../../src/redis/keys.js';
import { decodeResponse } from '../../src/route/proto.js';
import { bench, configOf, responseOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { ok } from '../support/scripted-upstream.js';

const PATH = '/manager.v2.Manager/GetScheduler';
const NOW_MS = 10_000;
/** Redis's clock shows so much more. */
const AHEAD_MS = 1_000_000;
/** How long Redis took to answer: when this process asks, and when it has heard. */
const SLOW_MS = 400;

const { question } = bench().read('GetScheduler', { hostname: 's', scheduler_cluster_id: '1' });

function entryOf(idc: string, askedAtMs: number): Entry {
  const reply = ok(responseOf(PATH, { hostname: 's', idc }));
  return {
    question,
    reply,
    askedAtMs,
    answeredAtMs: askedAtMs,
    manager: '0',
    checkedAtMs: askedAtMs,
    empty: false,
    held: undefined,
  };
}

/** What becomes of `lying`, asked for at a certain moment, in a memory where `before` is, and after a write at `writtenMs`. */
async function takenIn(
  lying: Entry,
  before: Entry | undefined,
  writtenMs?: number,
): Promise<Entry | undefined> {
  const clock = new ManualClock();
  clock.advance(NOW_MS + SLOW_MS);
  const config = configOf('');
  const keys = redisKeys({ keyPrefix: 'dfmgw', fleetId: '' });
  const us = (ms: number): number => (ms + AHEAD_MS) * 1_000;
  const name = keys.answer(1, question.key);
  const asked = { earliestUs: us(lying.askedAtMs), latestUs: us(lying.askedAtMs) };
  const value = createEnvelope({ secret: '', fleetId: '' }).seal(name, lying, asked, {
    wallMs: AHEAD_MS,
    nowMs: 0,
  });
  const seen = {
    atUs: us(NOW_MS),
    places: [{ kind: 'value', value }],
    writtenUs: [writtenMs === undefined ? undefined : us(writtenMs)],
    deletedUs: [undefined],
    ...{ beforeMs: NOW_MS, afterMs: NOW_MS + SLOW_MS },
  } as const;
  const store = createMemoryStore({ maxBytes: 1e6 });
  if (before !== undefined) store.set(before);
  const voids = createVoids();
  // All that is known here is that it was no later than Redis had answered.
  if (writtenMs !== undefined) voids.mark({ updates: question.tags, deletes: [] }, writtenMs + SLOW_MS);
  const asIs = () => question;
  const answers = createAnswersInRedis({
    ...{ config: config.redis, fleetId: '', keys, store, voids, clock, replica: 'r', maxStaleMs: 60_000 },
    exchange: { lookUp: () => Promise.resolve(seen) } as Partial<RedisExchange> as RedisExchange,
    keep: remember({
      ...{ store, voids, clock, limits: config.cache, decoder: { decodeResponse } },
      ...{
        isEntry: () => true,
        isAlive: () => false,
        filedUnder: asIs,
        storedUnder: asIs,
        emit: () => undefined,
      },
    }),
    ...{ told: () => 1, telling: () => undefined, onVoids: () => undefined },
    ...{ isUndecided: () => false, undecidedOf: () => undefined, emit: () => undefined },
  });
  await answers.refresh(question);
  const entry = store.get(question.key);
  expect(decodeResponse(PATH, entry?.reply.message ?? Buffer.alloc(0))).toMatchObject({ idc: 'new' });
  return entry;
}

it('an answer that another replica was given after a write is fresh here, and says no less than its age, however slow Redis was', async () => {
  const entry = await takenIn(entryOf('new', 9_800), entryOf('old', 5_000), 9_790);
  expect(entry?.checkedAtMs).toBeGreaterThan(9_790 + SLOW_MS);
  expect(entry?.askedAtMs).toBeCloseTo(9_800);
});

it('one that was asked for before this process began is as old as it is, and not as this process', async () => {
  const entry = await takenIn(entryOf('new', -5_000), undefined);
  expect(entry?.askedAtMs).toBeCloseTo(-5_000);
  expect(entry?.checkedAtMs).toBeCloseTo(-5_000);
});
