import { expect, test } from 'vitest';
import type { AskedFor } from '../../src/cache/redis/asked.js';
import { createLearned } from '../../src/warmup/learned.js';
import { createLearnedShared } from '../../src/warmup/learned-shared.js';
import { bench } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';

const MINUTE_MS = 60_000;

/** A Redis that takes what it is told, and has what is `there`. */
function sharing(there: readonly AskedFor[] = []) {
  const clock = new ManualClock();
  const learned = createLearned({ clock });
  const state: { there: typeof there | undefined; takes: boolean; told: string[][] } = {
    there,
    takes: true,
    told: [],
  };
  const shared = createLearnedShared({
    asked: {
      read: () => Promise.resolve(state.there),
      add(asked) {
        if (asked.length > 0) state.told.push(asked.map(({ key }) => key));
        return Promise.resolve(state.takes);
      },
    },
    learned,
    questionOf: (_, message) => read(message.toString()).question,
    clock,
    emit: (event) => expect(event).toBe('nothing'),
  });
  const { read: readOf } = bench();
  const read = (hostname: string) => readOf('GetScheduler', { hostname, scheduler_cluster_id: '1' });
  return { clock, learned, state, shared, read };
}
const known = (hostname: string): AskedFor => {
  const { question } = bench().read('GetScheduler', { hostname, scheduler_cluster_id: '1' });
  return { key: question.key, path: question.path, message: Buffer.from(hostname), weight: 1, ageMs: 0 };
};

test('what is new is told a minute later, again only ten minutes after that, and at the end at once', async () => {
  const { clock, learned, state, shared, read } = sharing();
  await shared.load();
  shared.start();
  const one = read('a');
  learned.note(one);
  await clock.advanceAsync(MINUTE_MS - 1);
  expect(state.told).toEqual([]);
  await clock.advanceAsync(1);
  expect(state.told).toEqual([[one.question.key]]);
  for (let minute = 1; minute < 10; minute++) {
    learned.note(one);
    await clock.advanceAsync(MINUTE_MS);
  }
  expect(state.told).toHaveLength(1);
  learned.note(one);
  await clock.advanceAsync(MINUTE_MS);
  expect(state.told).toHaveLength(2);
  // Nobody asks any more: nothing to tell.
  await clock.advanceAsync(30 * MINUTE_MS);
  expect(state.told).toHaveLength(2);
  learned.note(one);
  await shared.stop();
  expect(state.told).toHaveLength(3);
  expect(clock.pendingTimers).toBe(0);
});

test('what Redis did not take is told again', async () => {
  const { clock, learned, state, shared, read } = sharing();
  shared.start();
  learned.note(read('a'));
  state.takes = false;
  await clock.advanceAsync(2 * MINUTE_MS);
  expect(state.told).toHaveLength(2);
  state.takes = true;
  await clock.advanceAsync(5 * MINUTE_MS);
  expect(state.told).toHaveLength(3);
});

test('what came from there is not told back, and what came from disk is told', async () => {
  const { clock, learned, state, shared, read } = sharing([known('there')]);
  learned.note(read('disk'));
  clock.advance(5);
  await shared.load();
  expect(learned.count).toBe(2);
  shared.start();
  clock.advance(1);
  await clock.advanceAsync(MINUTE_MS);
  expect(state.told).toEqual([[read('disk').question.key]]);
});

test('a Redis that was away at the start is read when it is back', async () => {
  const { clock, learned, state, shared } = sharing();
  state.there = undefined;
  await shared.load();
  shared.start();
  await clock.advanceAsync(MINUTE_MS);
  expect(learned.count).toBe(0);
  state.there = [known('there')];
  await clock.advanceAsync(MINUTE_MS);
  expect(learned.count).toBe(1);
});

test('there need be no Redis', async () => {
  const clock = new ManualClock();
  const learned = createLearned({ clock });
  const none = createLearnedShared({
    asked: undefined,
    learned,
    questionOf: () => undefined,
    clock,
    emit: () => undefined,
  });
  await none.load();
  none.start();
  expect(clock.pendingTimers).toBe(0);
  await none.stop();
});
