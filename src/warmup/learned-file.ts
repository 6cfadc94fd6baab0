import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { readUpTo, replaceFile } from '../durable/files.js';
import type { OwnDirectory } from '../durable/own-directory.js';
import { frameRecord, readRecords } from '../durable/records.js';
import type { Emit } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { Question } from '../rpc/question.js';
import type { Learned } from './learned.js';

/** In the name of the file, so that versions lie side by side and none overwrites another. */
const SCHEMA = 1;
/** It changes with every call, and is worth less than the answers: written far less often than they. */
const INTERVAL_MS = 60_000;
const MAX_BYTES = 128 * 1024 * 1024;
const KEYS_PER_RECORD = 256;

const form = z.array(
  z.strictObject({
    path: z.string(),
    message: z.base64(),
    weight: z.number().min(0),
    /** Unix time, ms. */
    lastAskedWallMs: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
  }),
);

type StoredKey = z.infer<typeof form>[number];

export interface LearnedFile {
  /** Never rejects: without the file the gateway learns anew. */
  load(): Promise<void>;
  start(): void;
  /** Writes once more. Never rejects. */
  stop(): Promise<void>;
}

export interface LearnedFileOptions {
  readonly directory: OwnDirectory;
  readonly fleetId: string;
  readonly learned: Learned;
  readonly questionOf: (path: string, message: Buffer) => Question | undefined;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** What callers ask for, beside the snapshot of the answers: where it cannot be written, the snapshot says so. */
export function createLearnedFile(options: LearnedFileOptions): LearnedFile {
  const { directory, learned, clock, emit } = options;
  const { dir } = directory;
  if (dir === '') return { load: () => Promise.resolve(), start: () => {}, stop: () => Promise.resolve() };
  const fleet = createHash('sha256').update(options.fleetId).digest('hex').slice(0, 12);
  const file = join(dir, `learned-${fleet}.v${SCHEMA}`);
  let timer: Timer | undefined;
  let stopped = false;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    if (learned.count === 0 || !directory.held) return;
    try {
      const wallMs = clock.wallMs();
      const keys = learned.all().map(({ path, message, weight, ageMs }): StoredKey => {
        return {
          path,
          message: message.toString('base64'),
          weight,
          lastAskedWallMs: Math.max(0, wallMs - ageMs),
        };
      });
      await replaceFile(file, recordsOf(keys));
    } catch {
      // The snapshot in the same directory fails for the same reason, and tells of it once.
    }
  };
  const writeInTurn = (): Promise<void> => {
    writing = writing.then(write);
    return writing;
  };
  const schedule = (): void => {
    if (!stopped) timer = clock.setTimer(INTERVAL_MS, () => void writeInTurn().then(schedule));
  };

  return {
    async load() {
      try {
        const bytes = await readUpTo(file, MAX_BYTES);
        if (bytes === undefined) return;
        const wallMs = clock.wallMs();
        const asked = readRecords(bytes)
          .payloads.flatMap(keysIn)
          .map(({ path, message, weight, lastAskedWallMs }) => {
            return { path, message: Buffer.from(message, 'base64'), weight, ageMs: wallMs - lastAskedWallMs };
          });
        learned.restore(asked, options.questionOf);
      } catch (error) {
        emit({ kind: 'internal-error', where: 'reading what was asked for', error });
      }
    },
    start: schedule,
    stop() {
      stopped = true;
      timer?.cancel();
      return writeInTurn();
    },
  };
}

function* recordsOf(keys: readonly StoredKey[]): Generator<Buffer> {
  for (let at = 0; at < keys.length; at += KEYS_PER_RECORD) {
    yield frameRecord(Buffer.from(JSON.stringify(keys.slice(at, at + KEYS_PER_RECORD))));
  }
}

function keysIn(payload: Buffer): readonly StoredKey[] {
  try {
    return form.safeParse(JSON.parse(payload.toString('utf8'))).data ?? [];
  } catch {
    // A sound record of another form: what is in it is learned again.
    return [];
  }
}
