import { createHash } from 'node:crypto';
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
import { ANSWERS, MESSAGES, REQUESTS } from '../support/fuzz/recorded-messages.js';
import { type Draw, rounds } from '../support/fuzz/rounds.js';
import { ManualClock } from '../support/manual-clock.js';
import { ended, ok, ScriptedUpstream } from '../support/scripted-upstream.js';

/** A third of what would be remembered. */
const MOST_BYTES = 16 * 1024;
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

/** What the manager said at which of its paths, and when it was asked. */
class Said {
  readonly #askedAtMs = new Map<string, number>();

  add(path: string, reply: Reply, askedAtMs: number): Reply {
    const name = nameOf(path, reply, askedAtMs);
    this.#askedAtMs.delete(name);
    this.#askedAtMs.set(name, askedAtMs);
    return reply;
  }

  has(path: string, { reply, askedAtMs }: ReadAnswer): boolean {
    return this.#askedAtMs.has(nameOf(path, reply, askedAtMs));
  }

  /** What is older may be given to nobody. */
  forget(beforeMs: number): void {
    for (const [name, atMs] of this.#askedAtMs) {
      if (atMs >= beforeMs) return;
      this.#askedAtMs.delete(name);
    }
  }
}

function nameOf(path: string, { status, message }: Reply, askedAtMs: number): string {
  const hash = createHash('sha1')
    .update(message ?? 'none')
    .digest('base64');
  return `${askedAtMs} ${path} ${status.code} ${status.message} ${hash}`;
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

it(`${count} mutated answers of a manager are given as it said them and when it says, kept within bounds, and leave the next question to be answered`, async () => {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock);
  const wrong: GatewayEvent[] = [];
  const config = configOf(`cache: { maxBytes: ${MOST_BYTES} }`);
  const path = createDataPath({
    config,
    upstream,
    clock,
    random: () => 0.5,
    emit: (event) => event.kind === 'internal-error' && wrong.push(event),
  });
  const said = new Said();
  const given = { hit: 0, stale: 0, miss: 0, fault: 0 };
  await each(async (draw) => {
    const recorded = draw.oneOf(ASKED);
    const message = draw.below(3) === 0 ? mutated(draw, recorded.bytes, MESSAGES) : recorded.bytes;
    const question = classifier.question(recorded.path, message);
    upstream.auto = (request) => said.add(request.path, replyFor(draw, request.path), clock.nowMs());
    clock.advance(draw.oneOf(STEPS_MS));
    said.forget(clock.nowMs() - config.cache.maxStaleMs);
    if (draw.below(20) === 0) path.written(undefined);
    if (question === undefined) return;
    const answer = await settled(clock, asCallersAre(path, readOf(question, message)));
    if (answer instanceof GatewayError) given.fault++;
    else {
      given[answer.source]++;
      if (!said.has(recorded.path, answer)) expect(answer).toBe('something that the manager said there');
    }
    expect(wrong).toEqual([]);
    expect(path.store.sizeBytes).toBeLessThanOrEqual(MOST_BYTES);
  });
  path.stop();
  if (count < 1_000) return;
  // A breaker opens once in thousands of rounds, or never.
  const { hit, stale, miss } = given;
  for (const times of [hit, stale, miss]) expect(times).toBeGreaterThan(0);
});
