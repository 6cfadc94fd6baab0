import { expect, it } from 'vitest';
import { createDataPath } from '../../src/data-path.js';
import { GatewayError } from '../../src/errors.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { createClassifier } from '../../src/route/classify.js';
import { METHOD_TABLE } from '../../src/route/method-table.js';
import { decodeRequest, requestFieldNumbers } from '../../src/route/proto.js';
import type { Reply } from '../../src/rpc/call.js';
import type { Question } from '../../src/rpc/question.js';
import type { Read, ReadAnswer } from '../../src/rpc/read.js';
import { asCallersAre, configOf, turn } from '../support/data-path.js';
import { mutated } from '../support/fuzz/mutations.js';
import { ANSWERS, REQUESTS } from '../support/fuzz/recorded-messages.js';
import { type Draw, rounds } from '../support/fuzz/rounds.js';
import { ManualClock } from '../support/manual-clock.js';
import { ended, ok, ScriptedUpstream } from '../support/scripted-upstream.js';

const MOST_BYTES = 8 * 1024 * 1024;
const MESSAGES = [...REQUESTS, ...ANSWERS].map(({ bytes }) => bytes);
const ASKED = REQUESTS.filter(({ path }) => METHOD_TABLE.get(path)?.kind === 'read');
const WORDS = ['record not found', 'invalid connection', 'dial tcp: connect: connection refused', ''];
const STEPS_MS = [0, 1, 500, 31_000, 700_000];

const classifier = createClassifier({ fleetId: '', decoder: { decodeRequest, requestFieldNumbers } });

/** A manager that answers with what it should, or with what became of something else that some manager once said. */
function replyFor(draw: Draw, path: string): Reply {
  if (draw.below(6) === 0) return ended(draw.below(20), draw.oneOf(WORDS));
  const fitting = ANSWERS.filter((one) => one.path === path);
  const { bytes } = draw.oneOf(draw.below(4) === 0 || fitting.length === 0 ? ANSWERS : fitting);
  return ok(draw.below(4) === 0 ? bytes : mutated(draw, bytes, MESSAGES));
}

function readOf(question: Question, message: Buffer): Read {
  return { question, message, metadata: {}, deadlineMs: undefined, signal: undefined, attempts: 'one' };
}

/** Time passes until it is answered: what waits, waits on this clock. */
async function settled(clock: ManualClock, answer: Promise<ReadAnswer>): Promise<ReadAnswer | GatewayError> {
  let found: ReadAnswer | GatewayError | undefined;
  answer.then(
    (value) => {
      found = value;
    },
    (error: unknown) => {
      if (!(error instanceof GatewayError)) throw error;
      found = error;
    },
  );
  for (let turns = 0; found === undefined; turns++) {
    await turn();
    if (turns > 3) clock.advance(100);
    if (turns > 10_000) throw new Error('never answered');
  }
  return found;
}

const { count, each } = rounds('mutated answers', 2_500);

it(`${count} mutated answers of a manager are given as they are, kept within bounds, and leave the next question to be answered`, async () => {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock);
  const wrong: GatewayEvent[] = [];
  const path = createDataPath({
    config: configOf(`cache: { maxBytes: ${MOST_BYTES} }`),
    upstream,
    clock,
    random: () => 0.5,
    emit: (event) => event.kind === 'internal-error' && wrong.push(event),
  });
  const given = { hit: 0, stale: 0, miss: 0, fault: 0 };
  await each(async (draw) => {
    const recorded = draw.oneOf(ASKED);
    const message = draw.below(3) === 0 ? mutated(draw, recorded.bytes, MESSAGES) : recorded.bytes;
    const question = classifier.question(recorded.path, message);
    upstream.auto = (request) => replyFor(draw, request.path);
    clock.advance(draw.oneOf(STEPS_MS));
    if (draw.below(20) === 0) path.written(undefined);
    if (question === undefined) return;
    const answer = await settled(clock, asCallersAre(path, readOf(question, message)));
    given[answer instanceof GatewayError ? 'fault' : answer.source]++;
    expect(wrong).toEqual([]);
    expect(path.store.sizeBytes).toBeLessThanOrEqual(MOST_BYTES);
  });
  // A breaker opens once in thousands of rounds, or never.
  const { hit, stale, miss } = given;
  if (count > 1_000) for (const times of [hit, stale, miss]) expect(times).toBeGreaterThan(0);
  path.stop();
});
