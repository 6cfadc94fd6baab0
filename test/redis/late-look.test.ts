import { expect, it } from 'vitest';
import { createMemoryStore } from '../../src/cache/memory.js';
import { type AnswersInRedisOptions, createAnswersInRedis } from '../../src/cache/redis/answers.js';
import { createEnvelope } from '../../src/cache/redis/envelope.js';
import type { Span } from '../../src/cache/redis/exchange.js';
import type { LookedUp } from '../../src/cache/redis/replies.js';
import type { Seen } from '../../src/cache/redis/seen.js';
import { createVoids } from '../../src/cache/voids.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { entryOf } from '../cache/snapshot/entries.js';
import { ManualClock } from '../support/manual-clock.js';

it('what a look brings that was on its way while something newer was stored is older, and not said to have gone back', async () => {
  const clock = new ManualClock();
  const events: GatewayEvent[] = [];
  const looks: ((there: LookedUp & Span) => void)[] = [];
  const exchange = {
    lookUp: () => new Promise<LookedUp & Span>((resolve) => looks.push(resolve)),
    store: () => Promise.resolve('stored'),
    drop: () => Promise.resolve(undefined),
  };
  const store = createMemoryStore({ maxBytes: 1 << 20, onSet: () => undefined });
  const answers = createAnswersInRedis({
    config: { secret: '' },
    fleetId: 'f',
    exchange,
    store,
    keys: { answer: (_schema: number, key: string) => key },
    keep: () => () => Promise.reject(new Error('nothing is to be taken in')),
    voids: createVoids(),
    told: () => 0,
    telling: () => undefined,
    onVoids: () => undefined,
    maxStaleMs: 60_000,
    replica: 'r1',
    isUndecided: () => false,
    undecidedOf: () => undefined,
    clock,
    emit: (event: GatewayEvent) => events.push(event),
  } as unknown as AnswersInRedisOptions);

  const entry = entryOf('a', clock.nowMs());
  const { question } = entry;
  const before = { kind: 'value', value: sealedAt(1_000) } as const;
  const there = {
    atUs: 9_000,
    writtenUs: [],
    deletedUs: [],
    beforeMs: clock.nowMs(),
    afterMs: clock.nowMs(),
  };
  store.set(entry);
  const look = answers.refresh(question);
  // Nothing was known when the look began; its answer comes behind the storing of what was asked for at 9,000 µs.
  while (looks.length === 0) await Promise.resolve();
  const nothing: Seen = { ...there, question, places: [], found: undefined, foundAsked: undefined };
  expect(await answers.store(entry, question, nothing)).toBe(true);
  looks[0]?.({ ...there, places: [before] });
  expect((await look)?.foundAsked?.earliestUs).toBe(1_000);
  expect(events.map((event) => event.kind)).not.toContain('redis-answer-rejected');

  // What is seen there from now on and was asked for before that has gone back.
  const again = answers.refresh(question);
  while (looks.length === 1) await Promise.resolve();
  looks[1]?.({ ...there, places: [before] });
  await again;
  expect(events).toContainEqual(
    expect.objectContaining({ kind: 'redis-answer-rejected', reason: 'went-back' }),
  );

  function sealedAt(us: number): Buffer {
    const asked = { earliestUs: us, latestUs: us };
    const envelope = createEnvelope({ secret: '', fleetId: 'f' });
    return envelope.seal(question.key, entry, asked, { wallMs: 9, nowMs: clock.nowMs() });
  }
});
