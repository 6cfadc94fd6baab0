import { classify, isAboutRequest, isEntry } from './breaker/classify.js';
import { createBreakers } from './breaker/stage.js';
import { freshnessOf } from './cache/freshness.js';
import { createMemoryStore, type MemoryStore } from './cache/memory.js';
import { recall } from './cache/recall.js';
import { remember } from './cache/remember.js';
import { createVoids } from './cache/voids.js';
import type { Config } from './config/config.js';
import { createSingleFlight } from './flight/single-flight.js';
import type { BreakerStateName, Emit } from './observe/events.js';
import { createRetryBudget } from './retry/budget.js';
import { retry } from './retry/retry.js';
import type { Touched } from './route/method-table.js';
import { decodeResponse } from './route/proto.js';
import type { Answer } from './rpc/answer.js';
import type { Clock } from './rpc/clock.js';
import { compose, type Read, type ReadAnswer, type ReadHandler } from './rpc/read.js';
import { ask } from './upstream/ask.js';
import type { Upstream } from './upstream/upstream.js';

export interface DataPath {
  /** A read, from the cache to the manager. */
  readonly answerRead: ReadHandler;
  /** What `answerRead` would answer with now, without asking anybody. */
  foresee(read: Read): 'hit' | 'stale' | 'miss';
  /** Remembers an answer that was not asked for through the stages. */
  saw(read: Read, answer: Answer): void;
  written(touched: Touched | undefined): void;
  readonly store: MemoryStore;
  readonly flights: () => number;
  readonly breakerStates: () => ReadonlyMap<string, BreakerStateName>;
  stop(): void;
}

export interface DataPathOptions {
  readonly config: Pick<Config, 'cache' | 'breaker' | 'retry' | 'managers'>;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

/** Wires the stages of a read; their order is the array. */
export function createDataPath({ config, upstream, clock, random, emit }: DataPathOptions): DataPath {
  const voids = createVoids();
  const store = createMemoryStore({ maxBytes: config.cache.maxBytes });
  const decoder = { decodeResponse };
  const isFact = (answer: Answer): boolean => classify(answer.reply.status) === undefined;
  const flight = createSingleFlight({
    flightTimeoutMs: config.managers.requestTimeoutMs,
    isVoid: (tags, startedAtMs) => voids.isVoid(tags, startedAtMs),
    isAboutRequest: (answer) => isAboutRequest(answer.reply.status),
    clock,
    emit,
  });
  const breakers = createBreakers({ limits: config.breaker, clock, emit });
  const budget = createRetryBudget({ share: config.retry.budget, clock });
  const { askingSinceMs } = flight;
  const keep = remember({
    store,
    voids,
    decoder,
    limits: config.cache,
    isEntry: (answer) => isEntry(answer.reply.status),
    clock,
    emit,
  });

  const answerRead = compose(
    [
      recall({ store, voids, limits: config.cache, isFact, askingSinceMs, clock }),
      flight.stage,
      keep,
      // Retry stands round the breaker, not inside it: each attempt is one verdict on the manager.
      retry({ limits: config.retry, budget, clock, random, emit }),
      breakers.stage,
    ],
    ask(upstream),
  );

  return {
    answerRead,
    foresee(read) {
      const entry = store.get(read.question.key);
      const freshness = entry === undefined ? 'dead' : freshnessOf(entry, config.cache, voids, clock.nowMs());
      return freshness === 'dead' || freshness === 'ask' ? 'miss' : freshness === 'fresh' ? 'hit' : 'stale';
    },
    saw(read, answer) {
      const seen: ReadAnswer = { ...answer, source: 'miss', coalesced: false };
      keep(() => Promise.resolve(seen))(read).catch((error: unknown) =>
        emit({ kind: 'internal-error', where: 'remembering what observe saw', error }),
      );
    },
    written: (touched) => voids.mark(touched, clock.nowMs()),
    store,
    flights: () => flight.size,
    breakerStates: () => breakers.states(),
    stop: () => breakers.shutdown(),
  };
}
