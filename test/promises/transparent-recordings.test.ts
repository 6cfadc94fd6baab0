import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAlike, type Scenario } from '../support/promises-alike.js';
import { grpcCall } from '../support/promises-grpc.js';
import { shown } from '../support/promises-wire.js';
import { startWorld, WAYS, type World } from '../support/promises-world.js';
import {
  answerOf,
  bytesOf,
  isRead,
  RECORDINGS,
  type Recorded,
  recordings,
} from '../support/recorded-calls.js';

function kindOf(recorded: Recorded): NonNullable<Scenario['kind']> {
  if (recorded.path.startsWith('/grpc.health.v1.Health/')) return 'local';
  return isRead(recorded) ? 'read' : 'passed';
}

function scenarioOf(recorded: Recorded): Scenario {
  return {
    name: recorded.path,
    path: recorded.path,
    send: bytesOf(recorded.request ?? ''),
    script: { answer: () => answerOf(recorded) },
    kind: kindOf(recorded),
  };
}

describe.each(WAYS)('the gateway $name', (way) => {
  let world: World;
  /** What the gateway that runs has been asked. */
  let asked = new Set<string>();
  // A second attempt would only repeat what the manager says here every time, after a pause; and no failure is to weigh on another call.
  beforeAll(async () => {
    asked = new Set();
    world = await startWorld(way, ['retry.maxAttempts=1', 'breaker.volumeThreshold=100000']);
  });
  const forget = async (): Promise<void> => {
    await world.restartGateway();
    asked.clear();
  };
  afterAll(() => world.stop());

  describe.each(RECORDINGS)('carries the recorded calls of %s', (file) => {
    const titled = recordings(file).map((recorded, index): [string, Recorded] => {
      const { path, note, fault } = recorded;
      return [`${index}: ${path} (${note ?? fault ?? ''})`, recorded];
    });

    it.each(titled)('%s', async (_title, recorded) => {
      // Only `answer` remembers what it answers with, and that only of reads.
      // A list is for everybody of one place.
      const { path, request } = recorded;
      const question = path.endsWith('/ListSchedulers') ? path : `${path} ${request}`;
      if (way.mode === 'answer' && (!isRead(recorded) || asked.has(question))) await forget();
      asked.add(question);
      const outcome = await expectAlike(world, scenarioOf(recorded));
      expect(outcome).toMatchObject({
        code: String(recorded.code ?? 0),
        message: recorded.message ?? '',
        messages: bytesOf(recorded.response).map(shown),
      });
      // And once more, with another client, and from what is remembered by now.
      const again = await grpcCall(world.through, recorded.path, bytesOf(recorded.request ?? ''));
      expect(again.status).toMatchObject({ code: recorded.code ?? 0, details: recorded.message ?? '' });
      expect(again.messages.map(shown)).toEqual(outcome.messages);
    });
  });
});
