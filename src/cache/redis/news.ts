import type { Question } from '../../rpc/question.js';
import type { MemoryStore } from '../memory.js';

/** What replicas tell each other. Only hints: what is true is in Redis, and whoever lies here causes a look, no more. */
export type News = { readonly kind: 'answer'; readonly key: string } | { readonly kind: 'written' };

export function answerNews(replica: string, key: string): string {
  return `answer ${replica} ${key}`;
}

export function writtenNews(replica: string): string {
  return `written ${replica}`;
}

/** Undefined: one's own, or nothing that is understood. */
export function readNews(message: string, replica: string): News | undefined {
  const [kind, from, key] = message.split(' ', 3);
  if (from === replica) return undefined;
  if (kind === 'answer' && key !== undefined) return { kind, key };
  return kind === 'written' ? { kind } : undefined;
}

/** Hints that wait; beyond it they are dropped, and found out at the next asking. */
const WAITING = 4_096;
const AT_ONCE = 8;

export interface NewsOptions {
  readonly store: MemoryStore;
  /** Is somebody asking it anyway? */
  readonly asking: (question: Question) => boolean;
  readonly refresh: (question: Question) => Promise<unknown>;
}

/** Looks again for what is held here and somebody else has got anew, a few at a time. */
export function createNewsDesk({ store, asking, refresh }: NewsOptions): { heard(key: string): void } {
  const waiting = new Set<string>();
  let running = 0;
  const next = (): void => {
    if (running >= AT_ONCE) return;
    for (const key of waiting) {
      waiting.delete(key);
      const question = store.peek(key)?.question;
      if (question === undefined || question.secret || asking(question)) continue;
      running++;
      void refresh(question).finally(() => {
        running--;
        next();
      });
      if (running >= AT_ONCE) return;
    }
  };
  return {
    heard(key) {
      if (waiting.size >= WAITING) return;
      waiting.add(key);
      next();
    },
  };
}
