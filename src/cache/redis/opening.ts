import type { Emit, RedisRejectReason } from '../../observe/events.js';
import type { RedisKeys } from '../../redis/keys.js';
import type { Question } from '../../rpc/question.js';
import type { Entry } from '../entry.js';
import type { Envelope, EnvelopeSchema } from './envelope.js';
import type { RedisExchange, Span } from './exchange.js';
import type { Found } from './order.js';
import type { LookedUp, Place } from './replies.js';

/** Reads what was found in the places where the answer to a question may lie. */
export interface Opening {
  /**
   * The newest that may be used; what fails a check is counted, and removed. `knownUs`: when the newest was asked for that had been seen there
   * before the look, on Redis's clock, µs.
   */
  newest(question: Question, seen: LookedUp & Span, knownUs: number | undefined): Found | undefined;
}

export interface OpeningOptions {
  readonly envelope: Envelope;
  readonly schemas: readonly EnvelopeSchema[];
  readonly keys: RedisKeys;
  readonly exchange: Pick<RedisExchange, 'drop'>;
  /** Is it asked only to find out whose answer comes? Then any answer to its method may lie there. */
  readonly isUndecided: (question: Question) => boolean;
  readonly emit: Emit;
}

export function createOpening(options: OpeningOptions): Opening {
  const { envelope, schemas, keys, exchange, emit } = options;
  const reject = (question: Question, reason: RedisRejectReason): undefined => {
    emit({ kind: 'redis-answer-rejected', reason, method: question.path.slice(1) });
    return undefined;
  };

  const answers = (entry: Entry, question: Question): boolean =>
    entry.question.key === question.key ||
    (options.isUndecided(question) && entry.question.path === question.path);

  const open = (
    question: Question,
    seen: LookedUp & Span,
    knownUs: number,
    schema: EnvelopeSchema,
    place: Place,
  ): Found | undefined => {
    if (place.kind === 'none') return undefined;
    const name = keys.answer(schema.schema, question.key);
    const now = { wallMs: seen.atUs / 1000, nowMs: seen.beforeMs };
    const opened =
      place.kind === 'value'
        ? envelope.open(name, schema, place.value, now)
        : ({ kind: 'rejected', reason: place.kind } as const);
    switch (opened.kind) {
      case 'unknown-schema':
        return reject(question, 'unknown-schema');
      case 'rejected':
        void exchange.drop(name, place);
        return reject(question, opened.reason);
      case 'entry':
        // Sound, and yet the answer to something else: only without a secret, or by whoever knows it.
        if (!answers(opened.entry, question)) return reject(question, 'check');
        // A replay, or a replica of Redis that lagged and was promoted: what was seen in its place was asked for later.
        if (opened.asked.earliestUs < knownUs) return reject(question, 'went-back');
        return opened;
      default:
        return opened satisfies never;
    }
  };

  return {
    newest: (question, seen, knownUs = 0) =>
      schemas
        .map((schema, index) => open(question, seen, knownUs, schema, seen.places[index] ?? { kind: 'none' }))
        .filter((one) => one !== undefined)
        .sort((a, b) => b.asked.earliestUs - a.asked.earliestUs)[0],
  };
}
