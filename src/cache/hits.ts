import type { Answer } from '../rpc/answer.js';
import type { Clock } from '../rpc/clock.js';
import type { Question } from '../rpc/question.js';
import type { Read, ReadAnswer } from '../rpc/read.js';
import { type FreshnessLimits, freshnessOf } from './freshness.js';
import type { MemoryStore } from './memory.js';
import { recalled } from './recalled.js';
import type { Sharing } from './sharing/share.js';
import type { Voids } from './voids.js';

export interface HitsOptions {
  readonly store: MemoryStore;
  readonly voids: Voids;
  readonly limits: FreshnessLimits;
  readonly isFact: (answer: Answer) => boolean;
  /** Can it be given at once? One that cannot is not used, and counts as nothing. */
  readonly fits: (answer: Answer) => boolean;
  readonly sharing: Pick<Sharing, 'hit'>;
  readonly note: (read: Read) => void;
  readonly clock: Clock;
}

/**
 * What the stages would answer with from memory, at once: nothing is waited for, and nothing is made that only a wait needs.
 * It costs less than the stages do (docs/decisions/0023-hits-at-once.md). Undefined: they have to be asked.
 */
export function createHits(options: HitsOptions): (read: Read) => ReadAnswer | undefined {
  const { store, voids, limits, isFact, fits, sharing, note, clock } = options;
  const recall = ({ key }: Question): ReadAnswer | undefined => {
    const entry = store.get(key);
    if (entry === undefined || !isFact(entry) || !fits(entry)) return undefined;
    if (freshnessOf(entry, limits, voids, clock.nowMs()) !== 'fresh') return undefined;
    store.used(key);
    return recalled(entry, 'hit');
  };
  return (read) => {
    const answer = sharing.hit(read, recall);
    if (answer !== undefined) note(read);
    return answer;
  };
}
