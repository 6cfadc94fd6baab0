import { describe, expect, it } from 'vitest';
import type { GatewayEvent } from '../../src/observe/events.js';
import { type AnswersUnderWay, createAnswersUnderWay } from '../../src/upstream/answers-under-way.js';
import { ManualClock } from '../support/manual-clock.js';

const MIB = 1024 * 1024;
const KNOWN = '/known.Service/List';
const clock = new ManualClock();
const TOO_MUCH = { code: 'overloaded' };

function made(emit: (event: GatewayEvent) => void = () => undefined): AnswersUnderWay {
  const isKnown = (path: string): boolean => path === KNOWN;
  return createAnswersUnderWay({ limits: { bytesInFlight: 50 * MIB }, isKnown, clock, emit });
}

/** Its caller has taken it. */
function take(held: (() => void) | Error): void {
  if (held instanceof Error) throw held;
  held();
}

/** As many calls as want to begin, and which of them have. */
function opened(answers: AnswersUnderWay, path: string, count: number): (() => void)[] {
  const begun: (() => void)[] = [];
  for (let n = 0; n < count; n++) void answers.opening(path)?.then((answered) => begun.push(answered));
  return begun;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('calls of a method of which nobody knows how large its answers are', () => {
  it('begin four at a time, and the next when the answer of one is there', async () => {
    const begun = opened(made(), '/a/B', 6);
    await settled();
    expect(begun.length).toBe(4);
    begun[2]?.();
    await settled();
    expect(begun.length).toBe(5);
  });

  it('wait for none that takes its time, as a stream may', async () => {
    const begun = opened(made(), '/a/B', 9);
    await settled();
    clock.advance(99);
    await settled();
    expect(begun.length).toBe(4);
    clock.advance(1);
    await settled();
    expect(begun.length).toBe(8);
  });

  it('begin at once when the last one was small, and wait again after a large one', () => {
    const answers = made();
    expect(answers.opening('/a/B')).toBeInstanceOf(Promise);
    take(answers.hold('/a/B', 100));
    expect(answers.opening('/a/B')).toBe(undefined);
    take(answers.hold('/a/B', MIB));
    expect(answers.opening('/a/B')).toBeInstanceOf(Promise);
  });

  it('are forgotten, the oldest method first, where somebody invents them', () => {
    const answers = made();
    for (let n = 0; n <= 1_024; n++) take(answers.hold(`/a/${n}`, 1));
    expect(answers.opening('/a/0')).toBeInstanceOf(Promise);
    expect(answers.opening('/a/1')).toBe(undefined);
  });
});

it('those of the API begin at once, however large the last answer was', () => {
  const answers = made();
  answers.hold(KNOWN, MIB);
  expect(answers.opening(KNOWN)).toBe(undefined);
});

it('answers are held until callers have taken them, as many as there is room for; small ones always, and one alone, too', () => {
  const events: GatewayEvent[] = [];
  const answers = made((event) => events.push(event));
  const first = answers.hold(KNOWN, 60 * MIB);
  expect(answers.hold(KNOWN, MIB)).toMatchObject(TOO_MUCH);
  expect(events).toEqual([
    {
      kind: 'limit-reached',
      limit: 'bytes-in-flight',
      detail: expect.stringContaining(`while ${60 * MIB} wait`),
    },
  ]);
  expect(answers.hold(KNOWN, 100)).toBeTypeOf('function');
  take(first);
  const [second, third] = [answers.hold('/a/B', 30 * MIB), answers.hold('/a/B', 20 * MIB)];
  expect(answers.hold('/a/B', MIB)).toMatchObject(TOO_MUCH);
  take(second);
  take(third);
  expect(answers.hold(KNOWN, 60 * MIB)).toBeTypeOf('function');
});
