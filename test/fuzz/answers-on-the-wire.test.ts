import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ScriptedAnswer } from '../../src/simulator/manager/scripted-manager.js';
import { framed } from '../support/framed.js';
import { mutated, mutatedText } from '../support/fuzz/mutations.js';
import { MESSAGES, REQUESTS } from '../support/fuzz/recorded-messages.js';
import { type Draw, LIMIT_MS, rounds } from '../support/fuzz/rounds.js';
import { type Attacked, startAttacked } from '../support/promises-attacked.js';
import { connectWire } from '../support/promises-wire.js';

const MARK = 'x-fuzz';
/** Those of the manager travel as they are, the ones that gRPC does not know, too. */
const CODE = /^1?\d$/;

/** What the manager is to say to the calls that are marked; to others it says what they said. */
let next: ScriptedAnswer = {};
let attacked: Attacked;

beforeAll(async () => {
  attacked = await startAttacked(['retry.maxAttempts=1'], ({ metadata, messages }) =>
    metadata[MARK] === undefined ? { messages } : next,
  );
});
afterAll(async () => expect(await attacked.stop()).toBe(0));

/** Broken inside of its frames, in the frames themselves, in what comes before and after them, or by its end. */
function answerOf(draw: Draw): ScriptedAnswer {
  const message = mutated(draw, draw.oneOf(MESSAGES), MESSAGES);
  const ending = draw.oneOf(['status', 'reset'] as const);
  const compression = draw.oneOf([undefined, undefined, 'gzip', 'deflate'] as const);
  return {
    headers: { 'x-some': draw.bytes(draw.below(20)).toString('hex'), 'x-some-bin': 'AAEC' },
    status: { code: draw.below(20), message: draw.oneOf(['', 'ü', '%', 'record not found']) },
    trailers: { 'x-trailer': draw.bytes(draw.below(20)).toString('hex') },
    ...(draw.below(4) === 0
      ? { rawBody: mutatedText(draw, framed(message, compression), MESSAGES) }
      : { messages: Array.from({ length: draw.below(3) }, () => message) }),
    ...(compression === undefined ? {} : { compression }),
    ...(draw.below(10) === 0 ? { ending } : {}),
    ...(draw.below(10) === 0 ? { trailersOnly: true } : {}),
  };
}

const { count, each } = rounds('mutated answers on the wire', 400, 0.01);

it(
  `${count} answers of a manager that are not what they should be all end with a status, while others are answered`,
  async () => {
    let caller = await connectWire({ address: attacked.address, certificates: undefined });
    const codes = new Set<string | undefined>();
    await each(async (draw, n) => {
      next = answerOf(draw);
      const { path, bytes } = draw.oneOf(REQUESTS);
      const call = caller.open(path, { [MARK]: 'yes' });
      call.sendBytes(framed(draw.below(2) === 0 ? bytes : mutated(draw, bytes, MESSAGES)));
      call.halfClose();
      const { code } = await call.outcome;
      expect(code).toMatch(CODE);
      codes.add(code);
      if (n % 200 !== 199) return;
      expect(await attacked.others.complaints(5)).toEqual([]);
      await caller.close();
      caller = await connectWire({ address: attacked.address, certificates: undefined });
    });
    await caller.close();
    if (count > 300) expect(codes.size).toBeGreaterThan(5);
    expect(attacked.running).toBe(true);
    expect(attacked.faults()).toEqual([]);
  },
  LIMIT_MS,
);
