import type { Config } from '../../config/config.js';
import { codeOf, type ErrorCode } from '../../errors.js';
import type { Answer } from '../../rpc/answer.js';
import type { Clock, Timer } from '../../rpc/clock.js';
import type { Question } from '../../rpc/question.js';
import type { Read, ReadAnswer } from '../../rpc/read.js';
import { Code } from '../../rpc/status.js';
import { ageMs, type Entry } from '../entry.js';
import type { MemoryStore } from '../memory.js';
import { askerOf } from './asker.js';
import { createGiven } from './given.js';
import type { Knowledge } from './knowledge.js';

/** Of `cache.maxBytes`, beside it, for answers that callers were given and that are no longer remembered. */
const GIVEN_SHARE = 1 / 8;

/** Of a caller's time: a manager that has not answered within it is not waited for until nobody is left to be answered. */
const PATIENCE_SHARE = 0.75;

export interface StandInOptions {
  readonly knowledge: Pick<Knowledge, 'siblingOf' | 'elsewhere'>;
  readonly store: MemoryStore;
  readonly limits: Pick<Config['cache'], 'responseTimerMs' | 'maxStaleMs' | 'maxBytes'>;
  /** Is this what the manager knows, and not a fault or a refusal? */
  readonly isFact: (answer: Answer) => boolean;
  /** Has the manager failed? A refusal, or a wish for less, is its word. */
  readonly isFault: (answer: Answer) => boolean;
  /** Has every manager failed its last probe? */
  readonly managersAway: () => boolean;
  readonly askingSinceMs: (question: Question) => number | undefined;
  readonly clock: Clock;
}

/** What a caller without an entry gets when the manager does not answer. */
export interface StandIns {
  /** Notes that the caller of `own` was given the entry under `key`. */
  note(own: Question, key: string): void;
  /**
   * Runs `asking`; if it fails, or has brought nothing when the response timer rings, something stands in if it can. A list of
   * another place only once the manager has failed: the asking ended in a fault, or no manager passes its probe when the timer
   * rings, or three quarters of the caller's time are over.
   */
  within(read: Read, question: Question, asking: () => Promise<ReadAnswer>): Promise<ReadAnswer>;
}

/** What is said inside of an asking that the manager failed. */
const FAILURES = new Set<ErrorCode>([
  'manager-unavailable',
  'manager-timeout',
  'breaker-open',
  'deadline-exceeded',
]);

export function createStandIns(options: StandInOptions): StandIns {
  const { knowledge, store, limits, isFact, askingSinceMs, clock } = options;
  // When sharing ends while the manager is away, what a caller was last given is still his last good answer.
  const given = createGiven(Math.max(1, Math.floor(limits.maxBytes * GIVEN_SHARE)));

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

  /** The same schedulers in the order of another place: better than none, and never kept as this caller's own. */
  const lastResort = (read: Read): ReadAnswer | undefined => {
    const better = standIn(read);
    const asker = askerOf(read.question);
    if (better !== undefined || asker === undefined) return better;
    const list = knowledge
      .elsewhere(asker)
      .map((key) => store.peek(key))
      .find(isUsable);
    return list && stale(list, 'elsewhere');
  };

  const orStandIn = async (read: Read, asked: Promise<ReadAnswer>): Promise<ReadAnswer> => {
    try {
      const answer = await asked;
      if (isFact(answer)) return answer;
      return (options.isFault(answer) ? lastResort(read) : standIn(read)) ?? answer;
    } catch (error) {
      const code = codeOf(error) ?? 'internal';
      if (code === 'caller-cancelled') throw error;
      const instead = FAILURES.has(code) ? lastResort(read) : standIn(read);
      if (instead === undefined) throw error;
      return instead;
    }
  };

  /** Runs until something stands in, one moment after the other; undefined: nothing does, and the asking is waited for. */
  const atMoments = (read: Read, sinceMs: number): { readonly first: Promise<ReadAnswer>; end(): void } => {
    const startedMs = clock.nowMs();
    const timers: Timer[] = [];
    const first = new Promise<ReadAnswer>((resolve) => {
      const at = (momentMs: number, look: () => ReadAnswer | undefined): void => {
        const delayMs = Math.max(0, momentMs - clock.nowMs());
        timers.push(
          clock.setTimer(delayMs, () => {
            const found = look();
            if (found !== undefined) resolve(found);
          }),
        );
      };
      at(sinceMs + limits.responseTimerMs, () => (options.managersAway() ? lastResort(read) : standIn(read)));
      if (read.deadlineMs !== undefined)
        at(startedMs + (read.deadlineMs - startedMs) * PATIENCE_SHARE, () => lastResort(read));
    });
    return {
      first,
      end() {
        for (const timer of timers) timer.cancel();
      },
    };
  };

  return {
    note(own, key) {
      const entry = store.peek(key);
      if (isUsable(entry)) given.note(own.key, entry);
    },
    async within(read, question, asking) {
      const sinceMs = askingSinceMs(question) ?? clock.nowMs();
      const entry = store.peek(question.key);
      const asked = orStandIn(read, asking());
      // Who has an entry is answered in time by recall.
      if (entry !== undefined && ageMs(entry, clock.nowMs()) <= limits.maxStaleMs) return asked;
      const moments = atMoments(read, sinceMs);
      try {
        return await Promise.race([asked, moments.first]);
      } finally {
        moments.end();
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
