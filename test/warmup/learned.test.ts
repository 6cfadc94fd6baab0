import { expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import { createClassifier } from '../../src/route/classify.js';
import { decodeRequest, requestFieldNumbers } from '../../src/route/proto.js';
import type { Read } from '../../src/rpc/read.js';
import { createLearned } from '../../src/warmup/learned.js';
import { requestOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';

const HOUR_MS = 3_600_000;
const LIST = '/manager.v2.Manager/ListSchedulers';
const classifier = createClassifier({ fleetId: '', decoder: { decodeRequest, requestFieldNumbers } });

const questionOf = (path: string, message: Buffer) => classifier.question(path, message);

function read(hostname: string, path = LIST): Read {
  const message = requestOf(path, { hostname, ip: '127.0.0.9' });
  const question = classifier.question(path, message);
  if (question === undefined) throw new Error('asks nothing');
  return { question, metadata: {}, message, deadlineMs: undefined, signal: undefined, attempts: 'several' };
}

function namesOf(keys: readonly { message: Buffer }[]): unknown[] {
  return keys.map(({ message }) => decodeRequest(LIST, message).hostname);
}

test('what is asked for most comes first, and an hour ago counts half', () => {
  const clock = new ManualClock();
  const learned = createLearned({ clock });
  for (let i = 0; i < 5; i++) learned.note(read('often, long ago'));
  clock.advance(2 * HOUR_MS);
  for (let i = 0; i < 2; i++) learned.note(read('twice, now'));
  learned.note(read('once, now'));
  expect(namesOf(learned.mostUsed(24 * HOUR_MS))).toEqual(['twice, now', 'often, long ago', 'once, now']);
});

test('what nobody has asked for in the time given is left out', () => {
  const clock = new ManualClock();
  const learned = createLearned({ clock });
  learned.note(read('gone'));
  clock.advance(HOUR_MS + 1);
  learned.note(read('here'));
  expect(namesOf(learned.mostUsed(HOUR_MS))).toEqual(['here']);
});

test('passing the stage is what counts', async () => {
  const learned = createLearned({ clock: new ManualClock() });
  const handler = learned.stage(() => Promise.reject(new Error('no manager')));
  await expect(handler(read('a'))).rejects.toThrow('no manager');
  expect(learned.count).toBe(1);
});

test('what is refused to one who is over his limit is not learned, or the next start asked it for him', async () => {
  const learned = createLearned({ clock: new ManualClock() });
  const tooMany = new GatewayError('overloaded', 'too many');
  const handler = learned.stage(({ mayAsk }) => Promise.reject(mayAsk?.() ?? new Error('no manager')));
  for (let i = 0; i < 100; i++)
    await expect(handler({ ...read(`random-${i}`), mayAsk: () => tooMany })).rejects.toBe(tooMany);
  expect(learned.count).toBe(0);
  await expect(handler({ ...read('a'), mayAsk: () => undefined })).rejects.toThrow('no manager');
  expect(namesOf(learned.mostUsed(HOUR_MS))).toEqual(['a']);
});

test('secrets and very large requests are not learned', () => {
  const learned = createLearned({ clock: new ManualClock() });
  learned.note(read('a', '/manager.Manager/GetObjectStorage'));
  learned.note(read('x'.repeat(5_000)));
  expect(learned.count).toBe(0);
});

test('memory is bounded: the longest unasked go first', () => {
  const clock = new ManualClock();
  const learned = createLearned({ clock });
  const one = read('first');
  learned.note(one);
  const filler = Buffer.alloc(4_000);
  for (let i = 0; i < 10_000; i++)
    learned.note({ ...one, message: filler, question: { ...one.question, key: `key-${i}` } });
  expect(learned.count).toBeLessThan(8_192);
  expect(learned.mostUsed(HOUR_MS).some(({ question }) => question.key === one.question.key)).toBe(false);
});

test('what was learned outlives the process, as old as it is', () => {
  const before = new ManualClock();
  const learned = createLearned({ clock: before });
  learned.note(read('old'));
  before.advance(HOUR_MS);
  for (let i = 0; i < 3; i++) learned.note(read('new'));
  const stored = learned.all().map((key) => ({ ...key, ageMs: key.ageMs + HOUR_MS }));

  const restored = createLearned({ clock: new ManualClock(77) });
  expect(restored.restore(stored, questionOf)).toHaveLength(2);
  expect(namesOf(restored.mostUsed(24 * HOUR_MS))).toEqual(['new', 'old']);
  expect(namesOf(restored.mostUsed(HOUR_MS))).toEqual(['new']);
});

test('what cannot be read any more is not taken over', () => {
  const learned = createLearned({ clock: new ManualClock() });
  const unknown = { path: '/nothing', message: Buffer.alloc(0), weight: 1, ageMs: 0 };
  const secret = { ...unknown, path: '/manager.Manager/GetObjectStorage' };
  expect(learned.restore([unknown, secret], questionOf)).toEqual([]);
  expect(learned.count).toBe(0);
});

test('of what is known from elsewhere, too, the greater use and the later asking count', () => {
  const clock = new ManualClock();
  const learned = createLearned({ clock });
  const { message, question } = read('a');
  clock.advance(24 * HOUR_MS);
  learned.note(read('a'));
  clock.advance(HOUR_MS);
  const from = (weight: number, ageMs: number) => ({ path: question.path, message, weight, ageMs });
  const known = () => learned.all().map(({ weight, ageMs }) => [weight, ageMs]);
  expect(learned.restore([from(1, 2 * HOUR_MS)], questionOf)).toEqual([question.key]);
  expect(known()).toEqual([[1, HOUR_MS]]);
  // 16 two hours ago are 8 an hour ago.
  learned.restore([from(16, 2 * HOUR_MS)], questionOf);
  expect(known()).toEqual([[8, HOUR_MS]]);
  learned.restore([from(1, 0)], questionOf);
  expect(known()).toEqual([[4, 0]]);
});
