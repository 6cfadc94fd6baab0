import { LRUCache } from 'lru-cache';
import type { Emit } from '../../observe/events.js';
import type { RedisKeys } from '../../redis/keys.js';
import type { Clock } from '../../rpc/clock.js';
import type { Question } from '../../rpc/question.js';
import type { Entry } from '../entry.js';
import { type AskedAt, type Envelope, stampsOf } from './envelope.js';
import { LARGEST_VALUE_BYTES, type RedisExchange } from './exchange.js';
import { answerNews } from './news.js';
import { askedAt } from './order.js';
import type { Seen } from './seen.js';

/** How often, at the most, an answer is laid under what those ask who know nothing yet: they need one that is not much older than the newest. */
const FOR_STRANGERS_MS = 10_000;
const STRANGERS_QUESTIONS = 4_096;

/** Writes answers to where they lie in Redis. */
export interface Laying {
  /** `seen` came before the asking of `asked`, which brought `entry`. True: it lies there now, or what was asked for later. */
  lay(entry: Entry, asked: Question, seen: Seen): Promise<boolean>;
}

export interface LayingOptions {
  readonly maxStaleMs: number;
  readonly exchange: Pick<RedisExchange, 'store'>;
  readonly keys: RedisKeys;
  readonly envelope: Envelope;
  /** The form that is written. */
  readonly schema: number;
  /** Names this process among those that speak on the channel. */
  readonly replica: string;
  /** Is it asked only to find out whose answer comes? Then that answer lies under it, too, for replicas that do not know yet either. */
  readonly isUndecided: (question: Question) => boolean;
  /** What those ask who do not know yet who would get this answer, too; undefined: everybody knows. */
  readonly undecidedOf: (question: Question) => Question | undefined;
  /** Told when the entry may have been asked for, and again once it lies under `key`. */
  readonly onAsked: (entry: Entry, asked: AskedAt) => void;
  readonly onStored: (entry: Entry, asked: AskedAt, key: string) => void;
  readonly clock: Clock;
  readonly emit: Emit;
}

export function createLaying(options: LayingOptions): Laying {
  const { exchange, keys, envelope, schema, clock, emit } = options;
  const laidAtMs = new LRUCache<string, number>({ max: STRANGERS_QUESTIONS });

  const put = async (entry: Entry, key: string, seen: Seen, lifetimeMs: number): Promise<boolean> => {
    const asked = askedAt(entry.askedAtMs, seen);
    options.onAsked(entry, asked);
    const name = keys.answer(schema, key);
    const value = envelope.seal(name, entry, asked, { wallMs: seen.atUs / 1000, nowMs: seen.afterMs });
    if (value.length > LARGEST_VALUE_BYTES) {
      emit({ kind: 'redis-store-ended', result: 'too-large' });
      return false;
    }
    const news = answerNews(options.replica, key);
    const place = key === seen.question.key ? seen.places[0] : undefined;
    const before = place?.kind === 'value' ? stampsOf(place.value) : '';
    const { earliestUs } = asked;
    const result = await exchange.store({ name, value, earliestUs, lifetimeMs, schema, news, before });
    if (result === 'stored') options.onStored(entry, asked, key);
    if (result === 'stored' || result === 'asked-earlier' || result === 'other-schema')
      emit({ kind: 'redis-store-ended', result });
    return result === 'stored' || result === 'asked-earlier';
  };

  const isDue = ({ key }: Question): boolean => {
    const lastMs = laidAtMs.get(key) ?? Number.NEGATIVE_INFINITY;
    const due = clock.nowMs() - lastMs >= FOR_STRANGERS_MS;
    if (due) laidAtMs.set(key, clock.nowMs());
    return due;
  };

  const forStrangers = async (...args: Parameters<typeof put>): Promise<void> => {
    if (!(await put(...args))) laidAtMs.delete(args[1]);
  };

  return {
    async lay(entry, asked, seen) {
      const lifetimeMs = Math.floor(options.maxStaleMs - (clock.nowMs() - entry.askedAtMs));
      if (lifetimeMs <= 0) return false;
      const strangers = options.isUndecided(asked) ? asked : options.undecidedOf(entry.question);
      const alsoUnder = strangers !== undefined && isDue(strangers) ? strangers.key : undefined;
      // At once: a replica that knows nothing yet and looks between the one and the other would ask the manager, too.
      const [isThere] = await Promise.all([
        put(entry, entry.question.key, seen, lifetimeMs),
        alsoUnder !== undefined && forStrangers(entry, alsoUnder, seen, lifetimeMs),
      ]);
      return isThere;
    },
  };
}
