import type { Config } from '../config/config.js';
import { codeOf } from '../errors.js';
import type { Answer } from '../rpc/answer.js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { Question } from '../rpc/question.js';
import type { Read, ReadAnswer, ReadHandler, Stage } from '../rpc/read.js';
import { ageMs, type Entry } from './entry.js';
import { freshnessOf } from './freshness.js';
import type { MemoryStore } from './memory.js';
import { recalled } from './recalled.js';
import type { Voids } from './voids.js';

export interface RecallOptions {
  readonly store: Pick<MemoryStore, 'get' | 'used'>;
  readonly voids: Voids;
  readonly limits: Pick<Config['cache'], 'methods' | 'negativeTtlMs' | 'maxStaleMs' | 'responseTimerMs'>;
  /** Is this what the manager knows, and not a fault or a refusal? A caller with a stale answer gets that instead. */
  readonly isFact: (answer: Answer) => boolean;
  /** Since when somebody is already asking this, monotonic ms. */
  readonly askingSinceMs: (question: Question) => number | undefined;
  /** Is the manager to be left alone, and what is remembered good enough? */
  readonly maintained?: () => boolean;
  readonly clock: Clock;
}

/**
 * Above the single-flight: answers from what is remembered, or asks.
 * Fresh: answer. Just expired: answer, ask behind. Older: ask, and answer with the last good answer if the
 * manager fails or has not answered when the response timer rings.
 */
export function recall(options: RecallOptions): Stage {
  return (next) => (read) => {
    const entry = options.store.get(read.question.key);
    if (read.patient === true) return next(read);
    if (entry === undefined) return askAnew(options, next, read);
    const freshness = freshnessOf(entry, options.limits, options.voids, options.clock.nowMs());
    // An empty list is good enough for nobody: a daemon that is told "none" at its start exits.
    if (freshness !== 'fresh' && freshness !== 'dead' && !entry.empty && options.maintained?.())
      return Promise.resolve(used(options, entry, 'stale'));
    switch (freshness) {
      case 'fresh':
        return Promise.resolve(used(options, entry, 'hit'));
      case 'held':
        return Promise.resolve(used(options, entry, 'stale'));
      case 'revalidate':
        if (options.askingSinceMs(read.question) === undefined) refresh(next, read);
        return Promise.resolve(used(options, entry, 'stale'));
      case 'ask':
        return askWithin(options, next, read, entry);
      case 'dead':
        return askAnew(options, next, read);
      default:
        return freshness satisfies never;
    }
  };
}

/** There is nothing to answer with. Joining what is asked for already costs nobody anything. */
function askAnew(options: RecallOptions, next: ReadHandler, read: Read): Promise<ReadAnswer> {
  const objection = options.askingSinceMs(read.question) === undefined ? read.mayAsk?.() : undefined;
  return objection === undefined ? next(read) : Promise.reject(objection);
}

function used({ store }: RecallOptions, entry: Entry, source: 'hit' | 'stale'): ReadAnswer {
  store.used(entry.question.key);
  return recalled(entry, source);
}

/** Asks for nobody. What comes of it is remembered below; what fails has been reported below. */
function refresh(next: ReadHandler, read: Read): void {
  next({ ...read, deadlineMs: undefined, signal: undefined, attempts: 'one' }).catch(() => undefined);
}

/**
 * Asks, but no longer than the response timer, which counts from when the asking began: who joins an asking that
 * is already late does not wait at all.
 */
async function askWithin(
  options: RecallOptions,
  next: ReadHandler,
  read: Read,
  entry: Entry,
): Promise<ReadAnswer> {
  const { clock, limits } = options;
  const sinceMs = options.askingSinceMs(read.question);
  if (sinceMs === undefined && read.mayAsk?.() !== undefined) return used(options, entry, 'stale');
  const leftMs = (sinceMs ?? clock.nowMs()) + limits.responseTimerMs - clock.nowMs();
  if (leftMs <= 0) {
    // Joined only to be left at once, an asking of ten seconds would hold on to every caller of an outage.
    if (sinceMs === undefined) refresh(next, read);
    return used(options, entry, 'stale');
  }
  // Nobody's caller while the timer runs: the one who waits here is answered by the timer at the latest.
  const asked = next({ ...read, attempts: 'one' });
  // Who cannot wait as long as the timer is to have the answer in time, too.
  const patienceMs = ((read.deadlineMs ?? Number.POSITIVE_INFINITY) - clock.nowMs()) / 2;
  let timer: Timer | undefined;
  const rung = new Promise<undefined>((resolve) => {
    timer = clock.setTimer(Math.min(leftMs, patienceMs), () => resolve(undefined));
  });
  try {
    const answer = await Promise.race([asked, rung]);
    if (answer !== undefined && options.isFact(answer)) return answer;
    return lastGood(options, entry) ?? (await asked);
  } catch (error) {
    if (codeOf(error) === 'caller-cancelled') throw error;
    const good = lastGood(options, entry);
    if (good === undefined) throw error;
    return good;
  } finally {
    timer?.cancel();
    asked.catch(() => undefined);
  }
}

/**
 * The newest there is: another asking may have brought a better one while this one waited. undefined: what there is has become too old
 * meanwhile.
 */
function lastGood(options: RecallOptions, entry: Entry): ReadAnswer | undefined {
  const { clock, limits, store } = options;
  const newest = store.get(entry.question.key) ?? entry;
  return ageMs(newest, clock.nowMs()) <= limits.maxStaleMs ? used(options, newest, 'stale') : undefined;
}
