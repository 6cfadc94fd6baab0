import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScriptedAnswer } from '../../src/simulator/manager/scripted-manager.js';
import { expectAlike, type Scenario } from '../support/promises-alike.js';
import { grpcCall } from '../support/promises-grpc.js';
import { shown } from '../support/promises-wire.js';
import { startWorld, WAYS, type World } from '../support/promises-world.js';

type Recorded = {
  readonly path: string;
  readonly request?: string;
  /** None: a stream that the recorder kept open. */
  readonly code?: number;
  readonly message?: string;
  readonly response?: string;
  readonly note?: string;
  readonly fault?: string;
};

const DEADLINE_EXCEEDED = 4;
const FILES = ['manager-v2.1.55', 'manager-v2.5.1', 'manager-faults'];

function kindOf(path: string): NonNullable<Scenario['kind']> {
  if (path.startsWith('/grpc.health.v1.Health/')) return 'local';
  return /\/(List|Get)[A-Za-z]+$/.test(path) ? 'read' : 'passed';
}

function recordings(file: string): Recorded[] {
  const url = new URL(`../fixtures/recordings/${file}.json`, import.meta.url);
  const all: Recorded[] = JSON.parse(readFileSync(url, 'utf8'));
  // Those the recording client said itself, when its manager had not answered: no manager's word, nothing to carry.
  return all.filter(({ code }) => code !== DEADLINE_EXCEEDED);
}

function bytes(base64: string | undefined): Buffer[] {
  return base64 === undefined ? [] : [Buffer.from(base64, 'base64')];
}

function answerOf({ code = 0, message = '', response }: Recorded): ScriptedAnswer {
  return { messages: bytes(response), status: { code, message } };
}

function scenarioOf(recorded: Recorded): Scenario {
  return {
    name: recorded.path,
    path: recorded.path,
    send: bytes(recorded.request ?? ''),
    script: { answer: () => answerOf(recorded) },
    kind: kindOf(recorded.path),
  };
}

describe.each(WAYS)('the gateway $name', (way) => {
  let world: World;
  // A second attempt would only repeat what the manager says here every time, after a pause.
  beforeAll(async () => {
    world = await startWorld(way, ['retry.maxAttempts=1']);
  });
  afterAll(() => world.stop());

  describe.each(FILES)('carries the recorded calls of %s', (file) => {
    const titled = recordings(file).map((recorded, index): [string, Recorded] => {
      const { path, note, fault } = recorded;
      return [`${index}: ${path} (${note ?? fault ?? ''})`, recorded];
    });

    it.each(titled)('%s', async (_title, recorded) => {
      // Only `answer` remembers what it answers with.
      if (way.mode === 'answer') await world.restartGateway();
      const outcome = await expectAlike(world, scenarioOf(recorded));
      expect(outcome).toMatchObject({
        code: String(recorded.code ?? 0),
        message: recorded.message ?? '',
        messages: bytes(recorded.response).map(shown),
      });
      // And once more, with another client, and from what is remembered by now.
      const again = await grpcCall(world.through, recorded.path, bytes(recorded.request ?? ''));
      expect(again.status).toMatchObject({ code: recorded.code ?? 0, details: recorded.message ?? '' });
      expect(again.messages.map(shown)).toEqual(outcome.messages);
    });
  });
});
