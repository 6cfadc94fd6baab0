import { LRUCache } from 'lru-cache';
import type { Clock } from '../rpc/clock.js';
import type { Question } from '../rpc/question.js';
import type { Read, Stage } from '../rpc/read.js';

/** What was asked for, with all that is needed to ask it again. */
export interface LearnedKey {
  readonly question: Question;
  /** The request as somebody sent it. */
  readonly message: Buffer;
  /** How often, where an asking counts half as much after an hour, and a quarter after two. */
  readonly weight: number;
  /** Monotonic ms. */
  readonly lastAskedMs: number;
}

/** The same in the form that outlives the process: the question is read anew from the request, by the version that runs then. */
export interface StoredLearnedKey {
  readonly path: string;
  /** Base64. */
  readonly message: string;
  readonly weight: number;
  /** Unix time, ms. */
  readonly lastAskedWallMs: number;
}

export interface Learned {
  /** Above everything that answers: callers pass here, refreshes do not. */
  readonly stage: Stage;
  note(read: Read): void;
  /** Those asked for within the last `withinMs`, most used first. */
  mostUsed(withinMs: number): readonly LearnedKey[];
  toStored(): readonly StoredLearnedKey[];
  /** Adds what an earlier process learned; what `questionOf` cannot read, and what is known better here, is left out. */
  restore(
    stored: readonly StoredLearnedKey[],
    questionOf: (path: string, message: Buffer) => Question | undefined,
  ): void;
  readonly count: number;
}

/** A fleet of 10,000 daemons with questions of their own takes 4 MiB of it. */
const MAX_BYTES = 32 * 1024 * 1024;
/** The objects around one key, roughly. */
const OVERHEAD_BYTES = 256;
/** A request larger than this is rare, and not worth the memory. */
const MAX_REQUEST_BYTES = 4_096;
const HALF_LIFE_MS = 3_600_000;

/** What callers ask for: bounded in bytes, the longest unasked go first. Secret questions are not learned. */
export function createLearned({ clock }: { clock: Clock }): Learned {
  const keys = new LRUCache<string, LearnedKey>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ message }) => OVERHEAD_BYTES + message.length,
  });
  const decayed = (key: LearnedKey, nowMs: number): number =>
    key.weight * 2 ** (-Math.max(0, nowMs - key.lastAskedMs) / HALF_LIFE_MS);

  const note = ({ question, message }: Read): void => {
    if (question.secret || message.length > MAX_REQUEST_BYTES) return;
    const nowMs = clock.nowMs();
    const known = keys.get(question.key);
    keys.set(question.key, {
      question,
      // A copy of its own: the caller's may be a slice that keeps a whole frame alive.
      message: known?.message ?? Buffer.from(message),
      weight: known === undefined ? 1 : decayed(known, nowMs) + 1,
      lastAskedMs: nowMs,
    });
  };

  const mostUsed = (withinMs: number): readonly LearnedKey[] => {
    const nowMs = clock.nowMs();
    return [...keys.values()]
      .filter(({ lastAskedMs }) => nowMs - lastAskedMs <= withinMs)
      .map((key) => ({ key, weight: decayed(key, nowMs) }))
      .sort((one, other) => other.weight - one.weight)
      .map(({ key }) => key);
  };

  return {
    stage: (next) => (read) => {
      note(read);
      return next(read);
    },
    note,
    mostUsed,
    toStored() {
      const [nowMs, wallMs] = [clock.nowMs(), clock.wallMs()];
      return [...keys.values()].map(({ question, message, weight, lastAskedMs }) => ({
        path: question.path,
        message: message.toString('base64'),
        weight,
        lastAskedWallMs: wallMs - (nowMs - lastAskedMs),
      }));
    },
    restore(stored, questionOf) {
      const [nowMs, wallMs] = [clock.nowMs(), clock.wallMs()];
      // The oldest first, so that the bound keeps the newest.
      for (const one of stored.toSorted((a, b) => a.lastAskedWallMs - b.lastAskedWallMs)) {
        const message = Buffer.from(one.message, 'base64');
        const question = questionOf(one.path, message);
        if (question === undefined || question.secret || keys.has(question.key)) continue;
        const lastAskedMs = nowMs - Math.max(0, wallMs - one.lastAskedWallMs);
        keys.set(question.key, { question, message, weight: one.weight, lastAskedMs });
      }
    },
    get count() {
      return keys.size;
    },
  };
}
