import type { Answer } from './answer.js';
import type { Call } from './call.js';
import { type Metadata, NO_METADATA } from './metadata.js';
import type { Question } from './question.js';

/** A read on its way through the stages. */
export interface Read {
  readonly question: Question;
  /** The caller's own question, where `question` is one that several ask as one. */
  readonly own?: Question;
  readonly metadata: Metadata;
  /** The request as the caller sent it. */
  readonly message: Buffer;
  /** When whoever waits stops waiting, monotonic ms; undefined: never. */
  readonly deadlineMs: number | undefined;
  /** Aborted when whoever waits has left; undefined: nobody can leave (a refresh). */
  readonly signal: AbortSignal | undefined;
  /** `one` where a stale answer stands ready: nobody is kept waiting for a second attempt. */
  readonly attempts: 'one' | 'several';
  /** As `Call.mayAsk`: to be asked, once, before the manager is asked on behalf of a caller. */
  readonly mayAsk?: Call['mayAsk'];
  /** Whoever waits wants what the manager says now, however long that takes, and no answer of before: an operator. */
  readonly patient?: boolean;
  /** The one trial of a half-open breaker: worth waiting for a connection that is being dialled again. */
  readonly trial?: boolean;
}

/** A read that nobody waits for. */
export function onNobodysBehalf({ question, message }: Pick<Read, 'question' | 'message'>): Read {
  return {
    question,
    metadata: NO_METADATA,
    message,
    deadlineMs: undefined,
    signal: undefined,
    attempts: 'one',
  };
}

/** An answer with where it came from. `miss`: the manager gave it for this very asking. */
export interface ReadAnswer extends Answer {
  readonly source: 'hit' | 'stale' | 'miss';
  /** Somebody else's asking brought it. */
  readonly coalesced: boolean;
  /** Key of the question that it was found to answer; absent: a fault, or never looked at. */
  readonly key?: string;
  /**
   * Not this caller's own answer, but that of all who would get the same, or one that his like were given, or, as a
   * last resort, one that callers of another place were given.
   */
  readonly via?: 'shared' | 'sibling' | 'elsewhere';
}

/** Resolves with what the manager said, now or earlier, faults included; rejects with a GatewayError. */
export type ReadHandler = (read: Read) => Promise<ReadAnswer>;

/** One step of the data path. */
export type Stage = (next: ReadHandler) => ReadHandler;

/** Composes stages so that the first in the array is the first a read meets. */
export function compose(stages: readonly Stage[], last: ReadHandler): ReadHandler {
  return stages.reduceRight((next, stage) => stage(next), last);
}
