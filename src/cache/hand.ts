import type { Config } from '../config/config.js';
import { NO_METADATA } from '../rpc/metadata.js';
import type { Question } from '../rpc/question.js';
import type { Read, ReadAnswer, ReadHandler } from '../rpc/read.js';
import type { Entry } from './entry.js';
import type { MemoryStore } from './memory.js';

/** How an operator's wish ended. `nobody-asked`: the request that this answers is not known here, so that it cannot be sent. */
export type Refreshed =
  | { readonly kind: 'refreshed'; readonly answer: ReadAnswer }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'nobody-asked' }
  | { readonly kind: 'not-held' };

/** What a person may do to what is remembered. Keys are those of entries. */
export interface Hand {
  /** Asks the manager now, whatever the age of the answer. The manager itself may answer with what is minutes old. */
  refresh(key: string): Promise<Refreshed>;
  /** What the guard holds back is right: it is asked for again, and taken. */
  accept(key: string): Promise<Refreshed>;
  /** Forgets these, here and in Redis; returns how many there were. */
  drop(which: (entry: Entry) => boolean): number;
}

export interface HandOptions {
  readonly store: MemoryStore;
  /** Takes it out of Redis. */
  readonly forget: (question: Question) => void;
  /** A request whose answer is remembered under this key. */
  readonly askedAs: (key: string) => Pick<Read, 'question' | 'message'> | undefined;
  readonly ask: ReadHandler;
  readonly limits: Pick<Config['cache'], 'emptyHoldMs'>;
}

export function createHand({ store, forget, askedAs, ask, limits }: HandOptions): Hand {
  const refresh = async (key: string, change: (entry: Entry) => Entry): Promise<Refreshed> => {
    const entry = store.peek(key);
    if (entry === undefined) return { kind: 'unknown' };
    const asked = askedAs(key);
    if (asked === undefined) return { kind: 'nobody-asked' };
    // As if it had been looked at long ago, so that it is asked for, and still serves if nobody answers.
    store.set({ ...change(entry), checkedAtMs: Number.NEGATIVE_INFINITY });
    try {
      const answer = await ask({
        ...asked,
        metadata: NO_METADATA,
        deadlineMs: undefined,
        signal: undefined,
        attempts: 'one',
        patient: true,
      });
      return { kind: 'refreshed', answer };
    } catch (error) {
      return { kind: 'failed', error };
    }
  };
  return {
    refresh: (key) => refresh(key, (entry) => entry),
    async accept(key) {
      const held = store.peek(key)?.held;
      if (held === undefined) return { kind: store.peek(key) === undefined ? 'unknown' : 'not-held' };
      // Held for long enough, by an operator's word.
      const since = { ...held, sinceMs: held.sinceMs - limits.emptyHoldMs };
      return refresh(key, (entry) => ({ ...entry, held: since }));
    },
    drop(which) {
      const entries = [...store.entries()].filter(which);
      for (const { question } of entries) {
        store.delete(question.key);
        forget(question);
      }
      return entries.length;
    },
  };
}
