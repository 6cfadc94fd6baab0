import { readFileSync } from 'node:fs';
import type { ScriptedAnswer } from '../../src/simulator/manager/scripted-manager.js';

/** One call of a real manager (test/fixtures/recordings); bytes as base64. */
export type Recorded = {
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
export const RECORDINGS = ['manager-v2.1.55', 'manager-v2.5.1', 'manager-faults'];

export function recordings(file: string): Recorded[] {
  const url = new URL(`../fixtures/recordings/${file}.json`, import.meta.url);
  const all: Recorded[] = JSON.parse(readFileSync(url, 'utf8'));
  // Those the recording client said itself, when its manager had not answered: no manager's word, nothing to carry.
  return all.filter(({ code }) => code !== DEADLINE_EXCEEDED);
}

export function isRead({ path }: Recorded): boolean {
  return !path.startsWith('/grpc.health.v1.Health/') && /\/(List|Get)[A-Za-z]+$/.test(path);
}

export function bytesOf(base64: string | undefined): Buffer[] {
  return base64 === undefined ? [] : [Buffer.from(base64, 'base64')];
}

export function answerOf({ code = 0, message = '', response }: Recorded): ScriptedAnswer {
  return { messages: bytesOf(response), status: { code, message } };
}
