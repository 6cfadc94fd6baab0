import type { Config } from '../config/config.js';
import type { DiscardReason, Emit } from '../observe/events.js';
import type { Answer } from '../rpc/answer.js';
import type { Clock } from '../rpc/clock.js';
import type { Question } from '../rpc/question.js';
import type { Read, ReadAnswer, Stage } from '../rpc/read.js';
import { type Entry, orderOf } from './entry.js';
import { type ListedNode, poorer, type ResponseDecoder, type Shape, shapeOf } from './guard.js';
import type { MemoryStore } from './memory.js';
import type { Voids } from './voids.js';

export interface RememberOptions {
  readonly store: MemoryStore;
  readonly voids: Voids;
  readonly decoder: ResponseDecoder;
  readonly limits: Pick<Config['cache'], 'emptyHoldMs' | 'maxStaleMs'>;
  /** Is this answer a fact that may be remembered? Faults and UNIMPLEMENTED are not. */
  readonly isEntry: (answer: Answer) => boolean;
  /** The question that the answer is kept for: what it shows may say that it is not that of all who asked it as one. */
  readonly filedUnder: (read: Read, answer: Answer) => Question;
  /**
   * The question that it is stored for once nothing holds it back (`read.question` is what it was filed under): a list that
   * shows no clusters was held against that of all, and is its asker's alone.
   */
  readonly storedUnder: (read: Read, answer: Answer) => Question;
  /** Is a KeepAlive stream of this node alive here? Then a list without it is not the whole truth. */
  readonly isAlive: (node: ListedNode) => boolean;
  readonly clock: Clock;
  readonly emit: Emit;
}

/**
 * Below the single-flight: remembers what the manager says, whether or not anybody still waits for it.
 * Order is by when was asked, also of what a write made void, which is asked for again; a poorer answer is held back
 * (see guard.ts), and then whoever asked gets the richer one, marked stale.
 */
export function remember(options: RememberOptions): Stage {
  return (next) => async (read) => {
    const answer = await next(read);
    if (!options.isEntry(answer)) return answer;
    const question = options.filedUnder(read, answer);
    return { key: question.key, ...keep(options, { ...read, question }, answer) };
  };
}

function keep(options: RememberOptions, read: Read, answer: ReadAnswer): ReadAnswer {
  const { store, voids, emit } = options;
  const { question } = read;
  const discard = (reason: DiscardReason): ReadAnswer => {
    emit({ kind: 'cache-discarded', method: question.path.slice(1), reason });
    return answer;
  };
  const last = store.get(question.key);
  const isVoid = voids.isVoid(question.tags, answer.askedAtMs);
  if (last !== undefined && answer.askedAtMs < orderOf(last)) {
    discard(isVoid ? 'voided-by-write' : 'asked-earlier');
    // For whoever asks twice, time must not go back.
    const fresh = last.held === undefined && !voids.isVoid(question.tags, last.checkedAtMs);
    return { ...pick(last), source: fresh ? 'hit' : 'stale', coalesced: true };
  }
  const shape = readShape(options, read, answer);
  if (shape === undefined) return discard('unreadable');

  const poorness = last === undefined ? undefined : poornessOf(options, last, answer, shape);
  if (last !== undefined && poorness !== undefined) {
    // Void, it does not say that a hold began or ended, and whoever asked is not told the poorer thing either.
    if (isVoid) discard('voided-by-write');
    else guard(options, last, answer, poorness);
    if (isVoid || !poorness.over) return { ...pick(last), source: 'stale', coalesced: answer.coalesced };
  }

  const empty = question.method === 'ListSchedulers' && shape.items === 0;
  const entry: Entry = {
    ...pick(answer),
    question: options.storedUnder(read, answer),
    checkedAtMs: answer.askedAtMs,
    empty,
    // Void, it is asked for again, and serves when nobody answers: whoever was given it is not to be given what is older.
    held: isVoid ? last?.held : undefined,
  };
  if (!store.set(entry)) return discard('too-large');
  emit({
    kind: 'cache-stored',
    method: question.path.slice(1),
    sizeBytes: answer.reply.message?.length ?? 0,
  });
  return { ...answer, key: entry.question.key };
}

function pick({ reply, askedAtMs, answeredAtMs, manager }: Answer): Answer {
  return { reply, askedAtMs, answeredAtMs, manager };
}

/** That an answer is poorer than the last good one, in what way, since when, and whether that has outlasted the hold. */
type Poorness = NonNullable<Entry['held']> & { readonly over: boolean };

/** undefined if `answer` may take the place of `last` as it is. */
function poornessOf(
  options: RememberOptions,
  last: Entry,
  answer: Answer,
  next: Shape,
): Poorness | undefined {
  const { limits, voids, clock, decoder } = options;
  const { question } = last;
  // A write through here that deleted the thing explains the poorer answer, and one that nobody may be given guards nothing.
  if (voids.isDeleted(question.tags, last.askedAtMs)) return undefined;
  if (clock.nowMs() - last.askedAtMs > limits.maxStaleMs) return undefined;
  const before = shapeOf(question.method, question.path, last.reply, decoder);
  const reason = poorer(before, next, options.isAlive);
  if (reason === undefined) return undefined;
  const { reason: first, sinceMs } = last.held ?? { reason, sinceMs: answer.askedAtMs };
  const over = answer.askedAtMs - sinceMs >= limits.emptyHoldMs;
  return { reason: over ? reason : first, sinceMs, over };
}

/** Holds the poorer answer back, or says that its hold is over. */
function guard(options: RememberOptions, last: Entry, answer: Answer, poorness: Poorness): void {
  const { store, emit } = options;
  const { reason, sinceMs, over } = poorness;
  const method = last.question.path.slice(1);
  if (over) {
    emit({ kind: 'guard-released', method, reason });
    return;
  }
  if (last.held === undefined) emit({ kind: 'guard-held', method, reason });
  store.set({ ...last, checkedAtMs: answer.askedAtMs, held: { reason, sinceMs } });
}

function readShape(options: RememberOptions, read: Read, answer: Answer): Shape | undefined {
  try {
    return shapeOf(read.question.method, read.question.path, answer.reply, options.decoder);
  } catch {
    // No message of its method: the caller gets it as it is, and it is not kept.
    return undefined;
  }
}
