import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const LIST_PATH = '/manager.v2.Manager/ListSchedulers';
const HEALTH_PATH = '/grpc.health.v1.Health/Check';
const UPDATE_PATH = '/manager.v2.Manager/UpdateScheduler';
/** HealthCheckResponse, SERVING. */
const SERVING = 'CAE=';

interface Recorded {
  readonly path: string;
  readonly note: string;
  readonly request?: string;
  readonly response?: string;
}

/** What a real manager v2.5.1 was asked and said: two schedulers, 585 bytes. */
export interface Messages {
  /** File for h2load: the request in its gRPC frame. */
  readonly requestFile: string;
  readonly requestFrame: Buffer;
  /** File for the stub manager: path to base64 of the answer. */
  readonly answersFile: string;
  /** Of an answer in its gRPC frame. */
  readonly answerBytes: number;
}

export function writeMessages(directory: string): Messages {
  const file = 'test/fixtures/recordings/manager-v2.5.1.json';
  const recordings = JSON.parse(readFileSync(file, 'utf8')) as readonly Recorded[];
  const of = (path: string, note: string): Recorded => {
    const found = recordings.find((one) => one.path === path && one.note === note);
    if (found === undefined) throw new Error(`${file} has no ${path} "${note}"`);
    return found;
  };
  const list = of(LIST_PATH, 'after keepalive');
  const requestFrame = frame(Buffer.from(list.request ?? '', 'base64'));
  mkdirSync(directory, { recursive: true });
  const requestFile = join(directory, 'request.bin');
  const answersFile = join(directory, 'answers.json');
  writeFileSync(requestFile, requestFrame);
  writeFileSync(
    answersFile,
    JSON.stringify({
      [LIST_PATH]: list.response,
      [HEALTH_PATH]: SERVING,
      [UPDATE_PATH]: of(UPDATE_PATH, 'register scheduler').response,
    }),
  );
  const answerBytes = frame(Buffer.from(list.response ?? '', 'base64')).length;
  return { requestFile, requestFrame, answersFile, answerBytes };
}

function frame(message: Buffer): Buffer {
  const framed = Buffer.alloc(5 + message.length);
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, 5);
  return framed;
}
