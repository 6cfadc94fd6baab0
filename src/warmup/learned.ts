import { LRUCache } from 'lru-cache';
import type { AskedFor } from '../cache/redis/asked.js';
import type { GatewayError } from '../errors.js';
import type { Clock } from '../rpc/clock.js';
import { ownCopy } from '../rpc/own-copy.js';
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

export interface Learned {
  /** Above everything that answers: callers pass here, refreshes do not. */
  readonly stage: Stage;
  note(read: Read): void;
  /** Those asked for within the last `withinMs`, most used first. */
  mostUsed(withinMs: number): readonly LearnedKey[];
  /** In the form that outlives the process: the question is read anew from the request, by the version that runs then. */
  all(): readonly AskedFor[];
  /**
   * Adds what an earlier process, or another replica, learned: of what is known here, too, the greater use and the later asking count. What
   * `questionOf` cannot read is left out. Returns the keys of the rest.
   */
  restore(
    asked: readonly Omit<AskedFor, 'key'>[],
    questionOf: (path: string, message: Buffer) => Question | undefined,
  ): readonly string[];
  readonly count: number;
}

/** A fleet of 10,000 daemons with questions of their own takes 8 MiB of it. */
const MAX_BYTES = 32 * 1024 * 1024;
/** The question and the objects around one key, where no answer holds them, too (measured on Node 20: 730). */
const OVERHEAD_BYTES = 768;
/** A request larger than this is rare, and not worth the memory. */
const MAX_REQUEST_BYTES = 4_096;
export const HALF_LIFE_MS = 3_600_000;
/** What nobody has asked for within a day is not fetched for anybody. */
export const STILL_ASKED_MS = 24 * 3_600_000;

/** What callers ask for: bounded in bytes, the longest unasked go first. Secret questions are not learned. */
export function createLearned({ clock }: { clock: Clock }): Learned {
  const keys = new LRUCache<string, LearnedKey>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ message }) => OVERHEAD_BYTES + message.length,
  });
  const note = ({ question, message }: Read): void => {
    if (question.secret || message.length > MAX_REQUEST_BYTES) return;
    const nowMs = clock.nowMs();
    const known = keys.get(question.key);
    keys.set(question.key, {
      question,
      message: known?.message ?? ownCopy(message),
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
    stage: (next) => async (read) => {
      let objection: GatewayError | undefined;
      const mayAsk = (): GatewayError | undefined => {
        objection = read.mayAsk?.();
        return objection;
      };
      try {
        const answer = await next({ ...read, mayAsk });
        note(read);
        return answer;
      } catch (error) {
        // What one asks who is over his limit is asked of nobody, at the next start neither.
        if (error !== objection) note(read);
        throw error;
      }
    },
    note,
    mostUsed,
    all() {
      const nowMs = clock.nowMs();
      return [...keys.values()].map(({ question: { key, path }, message, weight, lastAskedMs }) => {
        return { key, path, message, weight, ageMs: nowMs - lastAskedMs };
      });
    },
    restore(asked, questionOf) {
      const nowMs = clock.nowMs();
      const taken: string[] = [];
      // The oldest first, so that the bound keeps the newest.
      for (const { path, message, weight, ageMs } of asked.toSorted((a, b) => b.ageMs - a.ageMs)) {
        const question = questionOf(path, message);
        if (question === undefined || question.secret) continue;
        const found = { question, message, weight, lastAskedMs: nowMs - Math.max(0, ageMs) };
        const known = keys.peek(question.key);
        keys.set(question.key, known === undefined ? found : merged(known, found));
        taken.push(question.key);
      }
      return taken;
    },
    get count() {
      return keys.size;
    },
  };
}

function decayed({ weight, lastAskedMs }: LearnedKey, nowMs: number): number {
  return weight * 2 ** (-Math.max(0, nowMs - lastAskedMs) / HALF_LIFE_MS);
}

/** Not the sum: both may have counted the same askings. */
function merged(one: LearnedKey, other: LearnedKey): LearnedKey {
  const later = one.lastAskedMs >= other.lastAskedMs ? one : other;
  const { lastAskedMs } = later;
  return { ...later, weight: Math.max(decayed(one, lastAskedMs), decayed(other, lastAskedMs)) };
}
