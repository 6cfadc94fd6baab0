import { classify } from './breaker/classify.js';
import { createBreakers } from './breaker/stage.js';
import { freshnessOf } from './cache/freshness.js';
import { createHand, type Hand } from './cache/hand.js';
import { createHits } from './cache/hits.js';
import { createMaintenance, type Maintenance } from './cache/maintenance.js';
import type { MemoryStore } from './cache/memory.js';
import { createOnlooker, type Watched } from './cache/onlooker.js';
import { type RecallOptions, recall } from './cache/recall.js';
import type { EnvelopeSchema } from './cache/redis/envelope.js';
import type { RedisTier } from './cache/redis/tier.js';
import type { RememberOptions } from './cache/remember.js';
import type { Voids } from './cache/voids.js';
import type { Config, Mode } from './config/config.js';
import type { BreakerStateName, Emit } from './observe/events.js';
import { createRemembered, isFact, type Remembered } from './remembered.js';
import { createRetryBudget } from './retry/budget.js';
import { retry } from './retry/retry.js';
import { fitsAtOnce } from './route/at-once.js';
import type { Touched } from './route/method-table.js';
import type { Clock } from './rpc/clock.js';
import { compose, onNobodysBehalf, type Read, type ReadAnswer, type ReadHandler } from './rpc/read.js';
import { NO_TRACING, type Tracing } from './trace/tracing.js';
import { ask } from './upstream/ask.js';
import type { Upstream } from './upstream/upstream.js';
import { createLearned, type Learned } from './warmup/learned.js';
import { createPace, type Pace } from './warmup/pace.js';
import { standsIn } from './warmup/stands-in.js';
import type { World } from './world/world.js';

export interface DataPath {
  /** What memory answers a read with at once; undefined: `answerRead` has to be asked. */
  readonly answerNow: (read: Read) => ReadAnswer | undefined;
  /** The same, if it fits (see at-once.ts). */
  readonly answerAtOnce: (read: Read) => ReadAnswer | undefined;
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
  const { config, upstream, clock, random, emit, tracing = NO_TRACING } = options;
  const traced = tracing.stage;
  const remembered = createRemembered({
    ...options,
    witness: options.witness ?? upstream,
    isAlive: options.isAlive ?? (() => false),
    mode: options.mode ?? (() => 'answer'),
    redisForms: options.redisForms,
    turn: () => pace.turn(),
  });
  const { store, voids, world, sharing, redis, keep, flight } = remembered;
  const breakers = createBreakers({ limits: config.breaker, clock, emit });
  const budget = createRetryBudget({ limits: config.retry, clock });
  const learned = createLearned({ clock });
  const pace = paceOf(options, remembered);
  const maintenance = createMaintenance({ clock, emit });
  const recalling: Recalling = {
    voids,
    limits: config.cache,
    isFact,
    askingSinceMs: flight.askingSinceMs,
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
  const hits = { ...remembered, limits: config.cache, isFact, note: learned.note, clock };
  return {
    ...{ store, voids, world, redis, learned, pace, maintenance, answerBehind },
    // A trace shows the stages, so a call that is traced passes them.
    answerNow: tracing === NO_TRACING ? createHits({ ...hits, fits: () => true }) : () => undefined,
    answerAtOnce: createHits({ ...hits, fits: fitsAtOnce }),
    answerRead: compose([learned.stage], answerBehind),
    isFresh(read) {
      const entry = store.get(sharing.questionOf(read).key);
      const freshness = entry && freshnessOf(entry, config.cache, voids, clock.nowMs());
      return freshness === 'fresh' || freshness === 'held';
    },
    share: (read) => redis.offer(sharing.questionOf(read)),
    watch: onlookerOf(options, remembered, learned, recalling),
    written(touched) {
      voids.mark(touched, clock.nowMs());
      redis.written(touched);
    },
    hand: handOf(options, remembered, learned, answerBehind),
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

type Recalling = Omit<RecallOptions, 'store'>;

function paceOf(
  { config, upstream, clock, random, emit }: DataPathOptions,
  { store, voids }: Remembered,
): Pace {
  return createPace({
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
}

function onlookerOf(
  { config, clock, emit }: DataPathOptions,
  { store, sharing, keep, world, watched }: Remembered,
  learned: Learned,
  recalling: Recalling,
): DataPath['watch'] {
  // Nobody is answered by it.
  const looked = { get: store.get, used: () => undefined };
  const { askingSinceMs } = watched;
  return createOnlooker({
    above: [learned.stage, sharing.stage, recall({ ...recalling, store: looked, askingSinceMs })],
    flight: watched,
    flightTimeoutMs: config.managers.requestTimeoutMs,
    remember(read, answer) {
      const seen: ReadAnswer = { ...answer, source: 'miss', coalesced: false };
      return compose([keep, world.stage], () => Promise.resolve(seen))(read);
    },
    clock,
    emit,
  });
}

function handOf(
  { config }: DataPathOptions,
  { store, redis, sharing }: Remembered,
  learned: Learned,
  answerBehind: ReadHandler,
): Hand {
  return createHand({
    store,
    forget: redis.forget,
    askedAs: (key) =>
      learned
        .mostUsed(Number.POSITIVE_INFINITY)
        .find((one) => one.question.key === key || sharing.questionOf(onNobodysBehalf(one)).key === key),
    ask: answerBehind,
    limits: config.cache,
  });
}
