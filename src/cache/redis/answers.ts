import { LRUCache } from 'lru-cache';
import type { Config } from '../../config/config.js';
import type { Reply } from '../../rpc/call.js';
import type { Question } from '../../rpc/question.js';
import { onNobodysBehalf, type ReadAnswer, type Stage } from '../../rpc/read.js';
import { type Entry, orderOf } from '../entry.js';
import type { MemoryStore } from '../memory.js';
import type { Voids } from '../voids.js';
import { type AskedAt, createEnvelope, ENVELOPE_SCHEMAS, type EnvelopeSchema } from './envelope.js';
import type { RedisExchange, Span } from './exchange.js';
import { createLaying, type LayingOptions } from './laying.js';
import { createOpening } from './opening.js';
import { askedAt, certainlyLater, inRedis, isAfterWrites } from './order.js';
import type { LookedUp } from './replies.js';
import type { Seen } from './seen.js';

/** Questions whose newest answer in Redis this process keeps in mind. */
const STAMPS = 65_536;

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

export interface AnswersInRedisOptions
  extends Omit<LayingOptions, 'envelope' | 'schema' | 'exchange' | 'onAsked' | 'onStored'> {
  readonly config: Config['redis'];
  readonly fleetId: string;
  readonly exchange: RedisExchange;
  readonly store: MemoryStore;
  /** The stage that remembers: what other replicas were told passes the same guard as what this one is told. */
  readonly keep: Stage;
  readonly voids: Voids;
  /** See `SharedWrites.told`. */
  readonly told: () => number | undefined;
  readonly telling: () => Promise<void> | undefined;
  /** Told of writes that others have noted. */
  readonly onVoids: (question: Question, seen: LookedUp & Span) => void;
  readonly schemas?: readonly EnvelopeSchema[];
}

/** The least by which one thing is after another. */
const A_MOMENT_MS = 0.001;
/** Before any moment of this process's clock, which is negative for what was before its start. */
const NEVER = Number.NEGATIVE_INFINITY;

export function createAnswersInRedis(options: AnswersInRedisOptions): AnswersInRedis {
  const { exchange, keys, store: memory, emit, clock } = options;
  const schemas = options.schemas ?? ENVELOPE_SCHEMAS;
  const envelope = createEnvelope({ secret: options.config.secret, fleetId: options.fleetId, schemas });
  const stamps = new LRUCache<string, number>({ max: STAMPS });
  /** When the answers that memory may hold were asked for, on Redis's clock. */
  const askedFor = new WeakMap<Reply, AskedAt>();
  const looking = new Map<string, Promise<Seen | undefined>>();
  const opening = createOpening({ ...options, envelope, schemas });
  const { lay } = createLaying({
    ...options,
    envelope,
    schema: schemas[0]?.schema ?? 0,
    onAsked: ({ reply }, asked) => void askedFor.set(reply, asked),
    onStored({ reply }, asked, key) {
      stamps.set(key, asked.earliestUs);
      askedFor.set(reply, inRedis(asked));
    },
  });

  const takeIn = async (
    question: Question,
    seen: LookedUp & Span,
    told: number | undefined,
    knownUs: number | undefined,
  ): Promise<Pick<Seen, 'found' | 'foundAsked'>> => {
    const found = opening.newest(question, seen, knownUs);
    if (found === undefined) {
      emit({ kind: 'redis-looked-up', result: 'none' });
      return { found: undefined, foundAsked: undefined };
    }
    const about = found.entry.question;
    const there = { found: about, foundAsked: found.asked };
    const last = memory.get(about.key);
    const newer = certainlyLater(found, last, last && askedFor.get(last.reply), clock.nowMs());
    // What was stored while the look was on its way is not what it saw.
    if (stamps.peek(question.key) === knownUs) stamps.set(question.key, found.asked.earliestUs);
    emit({ kind: 'redis-looked-up', result: newer ? 'newer' : 'older' });
    if (!newer) return there;
    const { reply, answeredAtMs, manager } = found.entry;
    askedFor.set(reply, inRedis(found.asked));
    const afterWrites = told !== undefined && told === options.told() && isAfterWrites(found, seen);
    // Redis's own order is exact. On this process's clock each time is off by as long as Redis took to answer, and what was asked for
    // right after another, or after a write, would seem to come before it.
    const afterMs = Math.max(
      last === undefined ? NEVER : orderOf(last),
      afterWrites ? options.voids.writtenAtMs(about.tags) : NEVER,
    );
    const askedAtMs = Math.min(seen.afterMs, Math.max(found.entry.askedAtMs, afterMs + A_MOMENT_MS));
    const answer: ReadAnswer = { reply, askedAtMs, answeredAtMs, manager, source: 'miss', coalesced: false };
    await options.keep(() => Promise.resolve(answer))(
      onNobodysBehalf({ question: about, message: Buffer.alloc(0) }),
    );
    const kept = memory.get(about.key);
    if (kept?.reply !== reply) return there;
    const askedByMs = seen.afterMs - Math.max(0, seen.atUs - found.asked.latestUs) / 1000;
    // Only its order (`checkedAtMs`) is set right by that: its age is what is certain, not what flatters.
    const certainMs = Math.max(
      found.entry.askedAtMs,
      last === undefined ? NEVER : last.askedAtMs + A_MOMENT_MS,
    );
    memory.set({ ...kept, askedAtMs: Math.min(askedAtMs, certainMs), askedByMs });
    return there;
  };

  const look = async (question: Question): Promise<Seen | undefined> => {
    await options.telling();
    const told = options.told();
    const knownUs = stamps.peek(question.key);
    const seen = await exchange.lookUp(
      question,
      schemas.map(({ schema }) => schema),
    );
    if (seen === undefined) return undefined;
    options.onVoids(question, seen);
    return { ...seen, question, ...(await takeIn(question, seen, told, knownUs)) };
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
    store: lay,
    async offer(question) {
      const seen = await refresh(question);
      const entry = memory.peek(question.key);
      if (seen === undefined || entry === undefined || entry.held !== undefined) return false;
      const asked = askedFor.get(entry.reply) ?? askedAt(entry.askedAtMs, seen);
      if (seen.foundAsked !== undefined && asked.earliestUs <= seen.foundAsked.latestUs) return true;
      return lay(entry, question, seen);
    },
    forget: ({ key }) => exchange.forget(schemas.map(({ schema }) => keys.answer(schema, key))),
  };
}
