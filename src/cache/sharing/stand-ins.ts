import type { Config } from '../../config/config.js';
import { GatewayError } from '../../errors.js';
import type { Answer } from '../../rpc/answer.js';
import type { Clock, Timer } from '../../rpc/clock.js';
import type { Question } from '../../rpc/question.js';
import type { Read, ReadAnswer } from '../../rpc/read.js';
import { Code } from '../../rpc/status.js';
import { ageMs, type Entry } from '../entry.js';
import type { MemoryStore } from '../memory.js';
import { askerOf } from './asker.js';
import type { Knowledge } from './knowledge.js';
import { newestOnly } from './newest.js';

/** Callers whose last answer is kept at hand. */
const CALLERS = 131_072;

export interface StandInOptions {
  readonly knowledge: Pick<Knowledge, 'siblingOf'>;
  readonly store: MemoryStore;
  readonly limits: Pick<Config['cache'], 'responseTimerMs' | 'maxStaleMs'>;
  /** Is this what the manager knows, and not a fault or a refusal? */
  readonly isFact: (answer: Answer) => boolean;
  readonly askingSinceMs: (question: Question) => number | undefined;
  readonly clock: Clock;
}

/** What a caller without an entry gets when the manager does not answer. */
export interface StandIns {
  /** Notes that the caller of `own` was given the entry under `key`. */
  note(own: Question, key: string): void;
  /** Runs `asking`; if it fails, or has brought nothing when the response timer rings, something stands in if it can. */
  within(read: Read, question: Question, asking: () => Promise<ReadAnswer>): Promise<ReadAnswer>;
}

export function createStandIns(options: StandInOptions): StandIns {
  const { knowledge, store, limits, isFact, askingSinceMs, clock } = options;
  // When sharing ends while the manager is away, what a caller was last given is still his last good answer.
  const given = newestOnly<Entry>(CALLERS);

  const isUsable = (entry: Entry | undefined): entry is Entry =>
    entry !== undefined &&
    !entry.empty &&
    entry.reply.status.code === Code.OK &&
    ageMs(entry, clock.nowMs()) <= limits.maxStaleMs;

  /** What this caller was given, now by itself or then as one with others; else what his like were given. */
  const standIn = ({ question: own }: Read): ReadAnswer | undefined => {
    const kept = store.peek(own.key);
    const noted = given.get(own.key);
    const ownIsNewer = isUsable(kept) && !(isUsable(noted) && noted.askedAtMs > kept.askedAtMs);
    if (ownIsNewer) return stale(kept, undefined);
    if (isUsable(noted)) return stale(noted, 'shared');
    const asker = askerOf(own);
    const siblingKey = asker && knowledge.siblingOf(asker);
    const sibling = siblingKey === undefined ? undefined : store.peek(siblingKey);
    return isUsable(sibling) ? stale(sibling, 'sibling') : undefined;
  };

  const orStandIn = async (read: Read, asked: Promise<ReadAnswer>): Promise<ReadAnswer> => {
    try {
      const answer = await asked;
      return isFact(answer) ? answer : (standIn(read) ?? answer);
    } catch (error) {
      const hasLeft = error instanceof GatewayError && error.code === 'caller-cancelled';
      const instead = hasLeft ? undefined : standIn(read);
      if (instead === undefined) throw error;
      return instead;
    }
  };

  return {
    note(own, key) {
      const entry = store.peek(key);
      if (isUsable(entry) && given.peek(own.key) !== entry) given.set(own.key, entry);
    },
    async within(read, question, asking) {
      const sinceMs = askingSinceMs(question) ?? clock.nowMs();
      const entry = store.peek(question.key);
      const asked = orStandIn(read, asking());
      // Who has an entry is answered in time by recall.
      if (entry !== undefined && ageMs(entry, clock.nowMs()) <= limits.maxStaleMs) return asked;
      let timer: Timer | undefined;
      const rung = new Promise<undefined>((resolve) => {
        timer = clock.setTimer(Math.max(0, sinceMs + limits.responseTimerMs - clock.nowMs()), () =>
          resolve(undefined),
        );
      });
      try {
        const answer = (await Promise.race([asked, rung])) ?? standIn(read);
        return answer ?? (await asked);
      } finally {
        timer?.cancel();
        asked.catch(() => undefined);
      }
    },
  };
}

function stale(entry: Entry, via: ReadAnswer['via']): ReadAnswer {
  const { reply, askedAtMs, answeredAtMs, manager } = entry;
  const answer: ReadAnswer = { reply, askedAtMs, answeredAtMs, manager, source: 'stale', coalesced: false };
  return via === undefined ? answer : { ...answer, via };
}
