import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Config } from '../../config/config.js';
import type { Emit } from '../../observe/events.js';
import { redisKeys } from '../../redis/keys.js';
import type { Touched } from '../../route/method-table.js';
import type { Clock, Timer } from '../../rpc/clock.js';
import type { Question } from '../../rpc/question.js';
import type { ReadAnswer, Stage } from '../../rpc/read.js';
import { ageMs } from '../entry.js';
import { type FreshnessLimits, freshnessOf } from '../freshness.js';
import type { MemoryStore } from '../memory.js';
import { recalled } from '../recalled.js';
import type { Voids } from '../voids.js';
import { createAnswersInRedis } from './answers.js';
import { type AskedInRedis, type AskedInRedisOptions, createAskedInRedis } from './asked.js';
import type { EnvelopeSchema } from './envelope.js';
import { createRedisExchange, LONGEST_TAG } from './exchange.js';
import { createNewsDesk, readNews } from './news.js';
import type { Seen } from './seen.js';
import { createSharedWrites } from './writes.js';

/** How often is asked what was written elsewhere, for those who have missed the news. */
const PULSE_INTERVAL_MS = 1_000;
/** How long a start waits for Redis, so that the first callers find what others have. */
const START_WAIT_MS = 1_000;

const JUST_SEEN = 4_096;
const JUST_SEEN_MS = 50;

/** What replicas have in common. Its loss costs nothing but that. */
export interface RedisTier {
  /** There should be a Redis, and nothing can be asked of it now. */
  readonly lost: boolean;
  /** Above recall: looks into Redis for a question to which memory has no answer. */
  readonly above: Stage;
  /** Between single-flight and remember: looks before the manager is asked, and writes through what it said. */
  readonly below: Stage;
  /** A write through this replica touches these; undefined: nobody knows what. */
  written(touched: Touched | undefined): void;
  /** An operator wants this answer to be no more. */
  forget(question: Question): void;
  /** Lays there what memory has, unless it is there already. True: it is there now, or what was asked for later. */
  offer(question: Question): Promise<boolean>;
  /** Resolves when what is being written is there, or could not be. */
  settled(): Promise<void>;
  /** undefined: there is no Redis. */
  readonly asked: AskedInRedis | undefined;
  /** Connects; resolves once Redis is there and was looked into, or did not come soon. Never rejects. */
  start(): Promise<void>;
  stop(): void;
}

export interface RedisTierOptions {
  readonly config: Config['redis'];
  readonly fleetId: string;
  readonly limits: FreshnessLimits;
  readonly store: MemoryStore;
  readonly voids: Voids;
  /** The stage that remembers, under the very question. */
  readonly keep: Stage;
  readonly isUndecided: (question: Question) => boolean;
  readonly undecidedOf: (question: Question) => Question | undefined;
  /** Looked for as soon as Redis is there: a gateway that starts with nothing has something to serve, and knows who would get the same. */
  readonly first: Question;
  /** May Redis be looked into? Not while observing. */
  readonly inUse: () => boolean;
  readonly askingSinceMs: (question: Question) => number | undefined;
  readonly asked: Pick<AskedInRedisOptions, 'lifetimeMs' | 'halfLifeMs'>;
  /** See `ENVELOPE_SCHEMAS`. */
  readonly schemas?: readonly EnvelopeSchema[];
  readonly clock: Clock;
  readonly emit: Emit;
}

export function createRedisTier(options: RedisTierOptions): RedisTier {
  return options.config.addrs.length === 0 ? WITHOUT_REDIS : createTier(options);
}

const WITHOUT_REDIS: RedisTier = {
  lost: false,
  above: (next) => next,
  below: (next) => next,
  written: () => undefined,
  forget: () => undefined,
  offer: () => Promise.resolve(false),
  settled: () => Promise.resolve(),
  asked: undefined,
  start: () => Promise.resolve(),
  stop: () => undefined,
};

function createTier(options: RedisTierOptions): RedisTier {
  const { config, fleetId, limits, store, voids, clock } = options;
  const { maxStaleMs } = limits;
  const replica = randomBytes(9).toString('base64url');
  const keys = redisKeys({ keyPrefix: config.keyPrefix, fleetId });
  let tried: () => void = () => undefined;
  const triedOnce = new Promise<void>((resolve) => {
    tried = resolve;
  });
  let timer: Timer | undefined;
  let stopped = false;

  const exchange = createRedisExchange({
    ...options,
    keys,
    onTried: () => tried(),
    onReady() {
      void writes.pulse();
      void firstLook();
    },
    onReadsHalfOpen: () => void writes.pulse(),
    onSubscribed: () => void writes.pulse(),
    onNews(message) {
      const news = readNews(message, replica);
      if (news?.kind === 'written') void writes.pulse();
      if (news?.kind === 'answer') desk.heard(news.key);
    },
  });
  const writes = createSharedWrites({ exchange, voids, maxStaleMs, replica, clock });
  const answers = createAnswersInRedis({
    ...options,
    maxStaleMs,
    exchange,
    keys,
    replica,
    told: () => writes.told,
    telling: writes.telling,
    onVoids: writes.seen,
  });
  const desk = createNewsDesk({
    store,
    asking: (question) => options.askingSinceMs(question) !== undefined,
    refresh: answers.refresh,
  });

  const firstLook = async (): Promise<void> => {
    if (options.inUse()) await answers.refresh(options.first);
  };

  /** Looks of this very moment: what was looked for above is not looked for again below. */
  const justSeen = new LRUCache<string, Seen>({ max: JUST_SEEN, ttl: JUST_SEEN_MS });

  /** Secret, or with a name that no host has: it has no business in Redis. */
  const isKeptOut = ({ secret, tags }: Question): boolean =>
    secret || tags.some((tag) => tag.length > LONGEST_TAG);

  /** What memory can answer with now, without asking anybody. */
  const inMemory = (question: Question): ReadAnswer | undefined => {
    const entry = store.get(question.key);
    if (entry === undefined) return undefined;
    const freshness = freshnessOf(entry, limits, voids, clock.nowMs());
    if (freshness === 'fresh') return recalled(entry, 'hit');
    return freshness === 'held' ? recalled(entry, 'stale') : undefined;
  };

  const writing = new Set<Promise<unknown>>();
  /** Nobody waits for it but who ends. */
  const note = (work: Promise<unknown>): void => {
    const noted = work
      .catch((error: unknown) => options.emit({ kind: 'internal-error', where: 'writing to Redis', error }))
      .finally(() => writing.delete(noted));
    writing.add(noted);
  };

  const beat = (): void => {
    if (stopped) return;
    void writes.pulse();
    timer = clock.setTimer(PULSE_INTERVAL_MS, beat);
  };

  return {
    get lost() {
      return !exchange.usable;
    },
    above: (next) => (read) => {
      const { question } = read;
      if (isKeptOut(question) || !exchange.usable) return next(read);
      const entry = store.get(question.key);
      if (entry !== undefined && ageMs(entry, clock.nowMs()) <= maxStaleMs) return next(read);
      return answers.refresh(question).then((seen) => {
        if (seen !== undefined) justSeen.set(question.key, seen);
        return next(read);
      });
    },
    below: (next) => async (read) => {
      const { question } = read;
      const before = justSeen.get(question.key);
      justSeen.delete(question.key);
      const seen = isKeptOut(question) ? undefined : (before ?? (await answers.refresh(question)));
      if (seen === undefined) return next(read);
      const known = inMemory(seen.found ?? question);
      if (known !== undefined) return known;
      const answer = await next(read);
      const kept = store.get(answer.key ?? question.key);
      if (answer.source === 'miss' && kept?.reply === answer.reply && kept.held === undefined)
        note(answers.store(kept, question, seen));
      return answer;
    },
    written: writes.written,
    offer: (question) => (isKeptOut(question) ? Promise.resolve(false) : answers.offer(question)),
    async settled() {
      await Promise.all([...writing, writes.telling()]);
    },
    forget: (question) => void answers.forget(question),
    asked: createAskedInRedis({
      ...options.asked,
      secret: config.secret,
      fleetId,
      keys,
      exchange,
      emit: options.emit,
    }),
    async start() {
      exchange.connect();
      beat();
      let waiting: Timer | undefined;
      const late = new Promise<void>((resolve) => {
        waiting = clock.setTimer(START_WAIT_MS, resolve);
      });
      await Promise.race([triedOnce, late]);
      waiting?.cancel();
      await firstLook();
    },
    stop() {
      stopped = true;
      timer?.cancel();
      tried();
      exchange.close();
    },
  };
}
