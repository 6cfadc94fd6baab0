import { classify, isAboutRequest, isCommonFault, isEntry } from './breaker/classify.js';
import { createBreakers } from './breaker/stage.js';
import type { Entry } from './cache/entry.js';
import { freshnessOf } from './cache/freshness.js';
import { createHand, type Hand } from './cache/hand.js';
import { createHits } from './cache/hits.js';
import { createMaintenance, type Maintenance } from './cache/maintenance.js';
import { createMemoryStore, type MemoryStore } from './cache/memory.js';
import { createOnlooker, type Watched } from './cache/onlooker.js';
import { recall } from './cache/recall.js';
import type { EnvelopeSchema } from './cache/redis/envelope.js';
import { createRedisTier, type RedisTier } from './cache/redis/tier.js';
import { type RememberOptions, remember } from './cache/remember.js';
import { createKnowledge } from './cache/sharing/knowledge.js';
import { createSharing } from './cache/sharing/share.js';
import { isUndecided, undecidedOf } from './cache/sharing/shared-question.js';
import { createVoids, type Voids } from './cache/voids.js';
import type { Config, Mode } from './config/config.js';
import { createSingleFlight, type SingleFlightOptions } from './flight/single-flight.js';
import { createKnownManager } from './known-manager.js';
import type { BreakerStateName, Emit } from './observe/events.js';
import { createRetryBudget } from './retry/budget.js';
import { retry } from './retry/retry.js';
import type { Touched } from './route/method-table.js';
import { decodeResponse } from './route/proto.js';
import { askedByStrangers } from './route/strangers.js';
import type { Answer } from './rpc/answer.js';
import type { Clock } from './rpc/clock.js';
import type { Question } from './rpc/question.js';
import { compose, onNobodysBehalf, type Read, type ReadAnswer, type ReadHandler } from './rpc/read.js';
import { NO_TRACING, type Tracing } from './trace/tracing.js';
import { allFailed } from './upstream/all-failed.js';
import { ask } from './upstream/ask.js';
import type { Upstream } from './upstream/upstream.js';
import { createLearned, HALF_LIFE_MS, type Learned, STILL_ASKED_MS } from './warmup/learned.js';
import { createPace, type Pace } from './warmup/pace.js';
import { standsIn } from './warmup/stands-in.js';
import type { World } from './world/world.js';

export interface DataPath {
  /** What memory answers a read with at once; undefined: `answerRead` has to be asked. */
  readonly answerNow: (read: Read) => ReadAnswer | undefined;
  /** A read, from the cache to the manager. */
  readonly answerRead: ReadHandler;
  /** The same on nobody's behalf: what the warm-up asks is no sign that somebody wants it. */
  readonly answerBehind: ReadHandler;
  /** Is there an answer to it that needs no asking? */
  isFresh(read: Read): boolean;
  /** Does the answer to it lie in Redis? It is laid there if not. */
  share(read: Read): Promise<boolean>;
  readonly learned: Learned;
  readonly pace: Pace;
  /** For `observe`: a read that is forwarded, and looked at as if it had come through the stages. */
  readonly watch: (read: Read) => Watched;
  written(touched: Touched | undefined): void;
  /** What an operator may do to what is remembered. */
  readonly hand: Hand;
  readonly maintenance: Maintenance;
  readonly store: MemoryStore;
  readonly redis: RedisTier;
  readonly voids: Voids;
  readonly world: World;
  readonly flights: () => number;
  readonly breakerStates: () => ReadonlyMap<string, BreakerStateName>;
  stop(): void;
}

export interface DataPathOptions {
  readonly config: Pick<Config, 'cache' | 'breaker' | 'retry' | 'managers' | 'warmup' | 'redis' | 'fleet'>;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly tracing?: Tracing;
  /** Who is asked whether it is still the same manager; `upstream` unless a test says otherwise. */
  readonly witness?: Pick<Upstream, 'unary'>;
  /** Is a KeepAlive stream of this node alive here? Where there is no shield, nobody's is. */
  readonly isAlive?: RememberOptions['isAlive'];
  /** `answer` where nobody says. */
  readonly mode?: () => Mode;
  /** Forms of answers in Redis; those of this version unless a test says otherwise. */
  readonly redisForms?: readonly EnvelopeSchema[];
}

/** Wires the stages of a read; their order is the array. */
export function createDataPath(options: DataPathOptions): DataPath {
  const { config, upstream, clock, random, emit, witness = options.upstream, tracing = NO_TRACING } = options;
  const traced = tracing.stage;
  const voids = createVoids();
  const decoder = { decodeResponse };
  const knowledge = createKnowledge({ sharing: config.cache.sharing, decoder, emit });
  const stored = (entry: Entry): void => {
    knowledge.stored(entry);
    // What the guard holds is checked again and again, and asked for long ago; of a void answer of a snapshot only that is known.
    const sinceMs = Math.min(entry.askedAtMs, entry.checkedAtMs);
    world.learn({ ...entry, expired: voids.isVoid(entry.question.tags, sinceMs) });
  };
  const store = createMemoryStore({ maxBytes: config.cache.maxBytes, onSet: stored });
  const world = createKnownManager({
    ...{ config, witness, upstream, voids, classify, clock, random, emit },
    turn: () => pace.turn(),
    remembered: (key) => store.peek(key),
  });
  const isFact = (answer: Answer): boolean => classify(answer.reply.status) === undefined;
  const flying: SingleFlightOptions = {
    flightTimeoutMs: config.managers.requestTimeoutMs,
    isVoid: (tags, startedAtMs) => voids.isVoid(tags, startedAtMs),
    isAboutRequest: (answer) => isAboutRequest(answer.reply.status),
    clock,
    emit,
  };
  const flight = createSingleFlight(flying);
  /** Of those who ask for themselves, in `observe`. Nobody joins anybody there, and so nobody is counted as having joined. */
  const watched = createSingleFlight({ ...flying, emit: () => undefined });
  const breakers = createBreakers({ limits: config.breaker, clock, emit });
  const budget = createRetryBudget({ limits: config.retry, clock });
  const { askingSinceMs } = flight;
  const sharing = createSharing({
    knowledge,
    store,
    limits: config.cache,
    isFact,
    isCommonFault: ({ reply }) => isCommonFault(reply.status),
    isFault: ({ reply }) => classify(reply.status) === 'transient',
    managersAway: () => allFailed(upstream.statuses()),
    askingSinceMs: (question) => (options.mode?.() === 'observe' ? watched : flight).askingSinceMs(question),
    clock,
  });
  const remembering: Omit<RememberOptions, 'filedUnder' | 'storedUnder'> = {
    store,
    voids,
    decoder,
    limits: config.cache,
    isEntry: (answer) => isEntry(answer.reply.status),
    isAlive: options.isAlive ?? (() => false),
    clock,
    emit,
  };
  const { filedUnder, storedUnder } = sharing;
  const keep = remember({ ...remembering, filedUnder, storedUnder });

  const learned = createLearned({ clock });
  const pace = createPace({
    perSecond: config.warmup.rate,
    managerHealthy: () => upstream.healthy,
    standsIn: ({ question }) => standsIn(store.get(question.key), config.cache, voids, clock.nowMs()),
    judge({ reply }) {
      const errorClass = classify(reply.status);
      if (errorClass === 'backpressure') return errorClass;
      return errorClass === 'transient' ? 'fault' : 'works';
    },
    clock,
    random,
    emit,
  });

  const asIs = ({ question }: Read): Question => question;
  const redis = createRedisTier({
    config: config.redis,
    fleetId: config.fleet.id,
    limits: config.cache,
    store,
    voids,
    keep: remember({ ...remembering, filedUnder: asIs, storedUnder: asIs }),
    isUndecided,
    undecidedOf,
    first: askedByStrangers(config.fleet.id),
    inUse: () => (options.mode?.() ?? 'answer') === 'answer',
    askingSinceMs,
    asked: { lifetimeMs: STILL_ASKED_MS, halfLifeMs: HALF_LIFE_MS },
    ...(options.redisForms && { schemas: options.redisForms }),
    clock,
    emit,
  });

  const maintenance = createMaintenance({ clock, emit });
  const recalling = {
    voids,
    limits: config.cache,
    isFact,
    askingSinceMs,
    maintained: () => maintenance.on,
    clock,
  };
  const answerBehind = compose(
    [
      traced('sharing', sharing.stage),
      traced('redis, for callers', redis.above),
      traced('recall', recall({ store, ...recalling })),
      traced('single-flight', flight.stage),
      traced('redis, for the manager', redis.below),
      traced('remember', keep),
      traced('world', world.stage),
      traced('pace', pace.stage),
      // Retry stands round the breaker, not inside it: each attempt is one verdict on the manager.
      traced('retry', retry({ limits: config.retry, budget, clock, random, emit })),
      traced('breaker', breakers.stage),
      traced('attempt', (next) => next),
    ],
    ask(upstream, tracing.outgoing),
  );
  const answerRead = compose([learned.stage], answerBehind);
  const hand = createHand({
    store,
    forget: redis.forget,
    askedAs: (key) =>
      learned
        .mostUsed(Number.POSITIVE_INFINITY)
        .find((one) => one.question.key === key || sharing.questionOf(onNobodysBehalf(one)).key === key),
    ask: answerBehind,
    limits: config.cache,
  });

  const watch = createOnlooker({
    above: [
      learned.stage,
      sharing.stage,
      recall({
        ...recalling,
        // Nobody is answered by it.
        store: { get: store.get, used: () => undefined },
        askingSinceMs: watched.askingSinceMs,
      }),
    ],
    flight: watched,
    flightTimeoutMs: flying.flightTimeoutMs,
    remember(read, answer) {
      const seen: ReadAnswer = { ...answer, source: 'miss', coalesced: false };
      return compose([keep, world.stage], () => Promise.resolve(seen))(read);
    },
    clock,
    emit,
  });

  const hits = createHits({
    ...{ store, voids, limits: config.cache, isFact, sharing, clock },
    note: learned.note,
  });

  return {
    // A trace shows the stages, so a call that is traced passes them.
    answerNow: tracing === NO_TRACING ? hits : () => undefined,
    answerRead,
    answerBehind,
    isFresh(read) {
      const entry = store.get(sharing.questionOf(read).key);
      const freshness = entry && freshnessOf(entry, config.cache, voids, clock.nowMs());
      return freshness === 'fresh' || freshness === 'held';
    },
    share: (read) => redis.offer(sharing.questionOf(read)),
    learned,
    pace,
    watch,
    written(touched) {
      voids.mark(touched, clock.nowMs());
      redis.written(touched);
    },
    hand,
    maintenance,
    redis,
    store,
    voids,
    world,
    flights: () => flight.size,
    breakerStates: () => breakers.states(),
    stop() {
      maintenance.end();
      breakers.shutdown();
      world.stop();
      redis.stop();
    },
  };
}
