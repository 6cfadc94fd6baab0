import { expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import { identify } from '../../src/keepalive/identity.js';
import { readWrite } from '../../src/registrations/registration.js';
import { createClassifier } from '../../src/route/classify.js';
import { METHOD_TABLE } from '../../src/route/method-table.js';
import { decodeRequest, decodeResponse, isDescribed, requestFieldNumbers } from '../../src/route/proto.js';
import { mutated } from '../support/fuzz/mutations.js';
import { REQUESTS } from '../support/fuzz/recorded-messages.js';
import { rounds } from '../support/fuzz/rounds.js';

const PATHS = [...METHOD_TABLE.keys()].filter(isDescribed);
const OTHERS = REQUESTS.map(({ bytes }) => bytes);
const decoder = { decodeRequest, decodeResponse, requestFieldNumbers };
const classifier = createClassifier({ fleetId: 'f', decoder });
const unseen = createClassifier({ fleetId: 'f', decoder });

/** The code of what it throws, which has to be ours. */
function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}

const { count, each } = rounds('mutated requests', 10_000);

it(`${count} mutated requests are questions, writes and nodes, or nobody knows what, and the same whenever they come`, async () => {
  let asked = 0;
  await each((draw) => {
    const recorded = draw.oneOf(REQUESTS);
    const path = draw.below(4) === 0 ? draw.oneOf(PATHS) : recorded.path;
    const message = mutated(draw, recorded.bytes, OTHERS);
    const question = classifier.question(path, message);
    expect(unseen.question(path, Buffer.from(message))?.key).toBe(question?.key);
    asked += Number(question !== undefined);
    classifier.touched(path, message);
    identify(path, message, decoder);
    readWrite(path, message, decoder);
    expect(['malformed-request', undefined]).toContain(codeOf(() => decodeRequest(path, message)));
    expect(['internal', undefined]).toContain(codeOf(() => decodeResponse(path, message)));
  });
  if (count > 1_000) expect(asked).toBeGreaterThan(count / 20);
});
