import type { ReadAnswer } from '../rpc/read.js';
import type { Entry } from './entry.js';

/** What is remembered, as an answer. */
export function recalled(
  { question, reply, askedAtMs, answeredAtMs, manager }: Entry,
  source: 'hit' | 'stale',
): ReadAnswer {
  return { reply, askedAtMs, answeredAtMs, manager, source, coalesced: false, key: question.key };
}
