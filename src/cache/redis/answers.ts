import { LRUCache } from 'lru-cache';
import type { Config } from '../../config/config.js';
import type { Emit, RedisRejectReason } from '../../observe/events.js';
import type { RedisKeys } from '../../redis/keys.js';
import type { Reply } from '../../rpc/call.js';
import type { Clock } from '../../rpc/clock.js';
import type { Question } from '../../rpc/question.js';
import type { Read, ReadAnswer, Stage } from '../../rpc/read.js';
import type { Entry } from '../entry.js';
import type { MemoryStore } from '../memory.js';
import type { Voids } from '../voids.js';
import { type AskedAt, createEnvelope, ENVELOPE_SCHEMAS, type EnvelopeSchema, stampsOf } from './envelope.js';
import { LARGEST_VALUE_BYTES, type RedisExchange, type Span } from './exchange.js';
import { answerNews } from './news.js';
import { askedAt, certainlyLater, type Found, inRedis, isAfterWrites, orderOf } from './order.js';
import type { LookedUp, Place } from './replies.js';

/** Questions whose newest answer in Redis this process keeps in mind. */
const STAMPS = 65_536;
/** How often, at the most, an answer is laid under what those ask who know nothing yet: they need one that is not much older than the newest. */
const FOR_STRANGERS_MS = 10_000;
const STRANGERS_QUESTIONS = 4_096;
/** One look into Redis: its time, this process's, and what was there. */
export type Seen = LookedUp &
  Span & {
    /** The question whose answer was found; undefined: none was. */
    readonly found: Question | undefined;
    /** When that was asked for. */
    readonly foundAsked: AskedAt | undefined;
    /** What was looked for. */
    readonly question: Question;
  };

/** Answers of one fleet in Redis, as the data path sees them. Nothing here rejects, and nothing takes longer than `redis.timeout`. */
export interface AnswersInRedis {
  /** Looks, and takes what is newer than memory's into memory. Undefined: Redis could not. */
  refresh(question: Question): Promise<Seen | undefined>;
  /** Writes through what the asking of `asked` brought, which `seen` came before. True: it lies there now, or what was asked for later. */
  store(entry: Entry, asked: Question, seen: Seen): Promise<boolean>;
  /** The same for what memory has, whoever brought it. */
  offer(question: Question): Promise<boolean>;
  /** Takes what lies under this question away; other replicas keep what they have. */
  forget(question: Question): Promise<unknown>;
}

export interface AnswersInRedisOptions {
  readonly config: Config['redis'];
  readonly fleetId: string;
  readonly maxStaleMs: number;
  readonly exchange: RedisExchange;
  readonly keys: RedisKeys;
  /** Names this process among those that speak on the channel. */
  readonly replica: string;
  readonly store: MemoryStore;
  /** The stage that remembers: what other replicas were told passes the same guard as what this one is told. */
  readonly keep: Stage;
  /** Is it asked only to find out whose answer comes? Then that answer lies under it, too, for replicas that do not know yet either. */
  readonly isUndecided: (question: Question) => boolean;
  /** What those ask who do not know yet who would get this answer, too; undefined: everybody knows. */
  readonly undecidedOf: (question: Question) => Question | undefined;
  readonly voids: Voids;
  /** See `SharedWrites.told`. */
  readonly told: () => number | undefined;
  readonly telling: () => Promise<void> | undefined;
  /** Told of writes that others have noted. */
  readonly onVoids: (question: Question, seen: LookedUp & Span) => void;
  readonly schemas?: readonly EnvelopeSchema[];
  readonly clock: Clock;
  readonly emit: Emit;
}

/** The least by which one thing is after another. */
const A_MOMENT_MS = 0.001;

export function createAnswersInRedis(options: AnswersInRedisOptions): AnswersInRedis {
  const { exchange, keys, store: memory, emit, clock } = options;
  const schemas = options.schemas ?? ENVELOPE_SCHEMAS;
  const current = schemas[0]?.schema ?? 0;
  const envelope = createEnvelope({ secret: options.config.secret, fleetId: options.fleetId, schemas });
  const stamps = new LRUCache<string, number>({ max: STAMPS });
  /** When the answers that memory may hold were asked for, on Redis's clock. */
  const askedFor = new WeakMap<Reply, AskedAt>();
  const laidAtMs = new LRUCache<string, number>({ max: STRANGERS_QUESTIONS });
  const looking = new Map<string, Promise<Seen | undefined>>();

  const reject = (question: Question, reason: RedisRejectReason): void =>
    emit({ kind: 'redis-answer-rejected', reason, method: question.path.slice(1) });

  const answers = (entry: Entry, question: Question): boolean =>
    entry.question.key === question.key ||
    (options.isUndecided(question) && entry.question.path === question.path);

  /** What lies in `place`, if it may be used; what fails a check is counted, and removed. */
  const open = (
    question: Question,
    seen: LookedUp & Span,
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
        reject(question, 'unknown-schema');
        return undefined;
      case 'rejected':
        reject(question, opened.reason);
        void exchange.drop(name, place);
        return undefined;
      case 'entry': {
        // Sound, and yet the answer to something else: only without a secret, or by whoever knows it.
        if (!answers(opened.entry, question)) reject(question, 'check');
        // A replay, or a replica of Redis that lagged and was promoted: what was seen in its place was asked for later.
        else if (opened.asked.earliestUs < (stamps.peek(question.key) ?? 0)) reject(question, 'went-back');
        else return opened;
        return undefined;
      }
      default:
        return opened satisfies never;
    }
  };

  const takeIn = async (
    question: Question,
    seen: LookedUp & Span,
    told: number | undefined,
  ): Promise<Pick<Seen, 'found' | 'foundAsked'>> => {
    const found = schemas
      .map((schema, index) => open(question, seen, schema, seen.places[index] ?? { kind: 'none' }))
      .filter((one) => one !== undefined)
      .sort((a, b) => b.asked.earliestUs - a.asked.earliestUs)[0];
    if (found === undefined) {
      emit({ kind: 'redis-looked-up', result: 'none' });
      return { found: undefined, foundAsked: undefined };
    }
    const about = found.entry.question;
    const there = { found: about, foundAsked: found.asked };
    const last = memory.get(about.key);
    const newer = certainlyLater(found, last, last && askedFor.get(last.reply), clock.nowMs());
    stamps.set(question.key, found.asked.earliestUs);
    emit({ kind: 'redis-looked-up', result: newer ? 'newer' : 'older' });
    if (!newer) return there;
    const { reply, answeredAtMs, manager } = found.entry;
    askedFor.set(reply, inRedis(found.asked));
    const afterWrites = told !== undefined && told === options.told() && isAfterWrites(found, seen);
    // Redis's own order is exact. On this process's clock each time is off by as long as Redis took to answer, and what was asked for
    // right after another, or after a write, would seem to come before it.
    const afterMs = Math.max(
      last === undefined ? 0 : orderOf(last),
      afterWrites ? options.voids.writtenAtMs(about.tags) : 0,
    );
    const askedAtMs = Math.min(seen.afterMs, Math.max(found.entry.askedAtMs, afterMs + A_MOMENT_MS));
    const answer: ReadAnswer = { reply, askedAtMs, answeredAtMs, manager, source: 'miss', coalesced: false };
    await options.keep(() => Promise.resolve(answer))(onNobodysBehalf(about));
    const kept = memory.get(about.key);
    if (kept?.reply !== reply) return there;
    const askedByMs = seen.afterMs - Math.max(0, seen.atUs - found.asked.latestUs) / 1000;
    memory.set({ ...kept, askedByMs });
    return there;
  };

  const put = async (entry: Entry, key: string, seen: Seen, lifetimeMs: number): Promise<boolean> => {
    const asked = askedAt(entry.askedAtMs, seen);
    askedFor.set(entry.reply, asked);
    const name = keys.answer(current, key);
    const value = envelope.seal(name, entry, asked, { wallMs: seen.atUs / 1000, nowMs: seen.afterMs });
    if (value.length > LARGEST_VALUE_BYTES) {
      emit({ kind: 'redis-store-ended', result: 'too-large' });
      return false;
    }
    const news = answerNews(options.replica, key);
    const place = key === seen.question.key ? seen.places[0] : undefined;
    const before = place?.kind === 'value' ? stampsOf(place.value) : '';
    const { earliestUs } = asked;
    const schema = current;
    const result = await exchange.store({ name, value, earliestUs, lifetimeMs, schema, news, before });
    if (result === 'stored') {
      stamps.set(key, earliestUs);
      askedFor.set(entry.reply, inRedis(asked));
    }
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

  const look = async (question: Question): Promise<Seen | undefined> => {
    await options.telling();
    const told = options.told();
    const seen = await exchange.lookUp(
      question,
      schemas.map(({ schema }) => schema),
    );
    if (seen === undefined) return undefined;
    options.onVoids(question, seen);
    return { ...seen, question, ...(await takeIn(question, seen, told)) };
  };

  const store = async (entry: Entry, question: Question, seen: Seen): Promise<boolean> => {
    const lifetimeMs = Math.floor(options.maxStaleMs - (clock.nowMs() - entry.askedAtMs));
    if (lifetimeMs <= 0) return false;
    const strangers = options.isUndecided(question) ? question : options.undecidedOf(entry.question);
    const alsoUnder = strangers !== undefined && isDue(strangers) ? strangers.key : undefined;
    const isThere = await put(entry, entry.question.key, seen, lifetimeMs);
    if (alsoUnder !== undefined) await put(entry, alsoUnder, seen, lifetimeMs);
    return isThere;
  };

  const refresh = (question: Question): Promise<Seen | undefined> => {
    const { key } = question;
    const running = looking.get(key);
    if (running !== undefined) return running;
    const started = look(question)
      .catch((error: unknown) => {
        emit({ kind: 'internal-error', where: 'looking into Redis', error });
        return undefined;
      })
      .finally(() => looking.delete(key));
    looking.set(key, started);
    return started;
  };

  return {
    refresh,
    store,
    async offer(question) {
      const seen = await refresh(question);
      const entry = memory.peek(question.key);
      if (seen === undefined || entry === undefined || entry.held !== undefined) return false;
      const asked = askedFor.get(entry.reply) ?? askedAt(entry.askedAtMs, seen);
      if (seen.foundAsked !== undefined && asked.earliestUs <= seen.foundAsked.latestUs) return true;
      return store(entry, question, seen);
    },
    forget: ({ key }) => exchange.forget(schemas.map(({ schema }) => keys.answer(schema, key))),
  };
}

function onNobodysBehalf(question: Question): Read {
  return {
    question,
    metadata: {},
    message: Buffer.alloc(0),
    deadlineMs: undefined,
    signal: undefined,
    attempts: 'one',
  };
}
