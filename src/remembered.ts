import { classify, isAboutRequest, isCommonFault, isEntry } from './breaker/classify.js';
import type { Entry } from './cache/entry.js';
import { createMemoryStore, type MemoryStore } from './cache/memory.js';
import type { EnvelopeSchema } from './cache/redis/envelope.js';
import { createRedisTier, type RedisTier } from './cache/redis/tier.js';
import { type RememberOptions, remember } from './cache/remember.js';
import { createKnowledge, type Knowledge } from './cache/sharing/knowledge.js';
import { createSharing, type Sharing } from './cache/sharing/share.js';
import { isUndecided, undecidedOf } from './cache/sharing/shared-question.js';
import { createVoids, type Voids } from './cache/voids.js';
import type { Config, Mode } from './config/config.js';
import { createSingleFlight, type SingleFlight, type SingleFlightOptions } from './flight/single-flight.js';
import { createKnownManager } from './known-manager.js';
import type { Emit } from './observe/events.js';
import { decodeResponse } from './route/proto.js';
import { askedByStrangers } from './route/strangers.js';
import type { Answer } from './rpc/answer.js';
import type { Clock } from './rpc/clock.js';
import type { Question } from './rpc/question.js';
import type { Read, Stage } from './rpc/read.js';
import { allFailed } from './upstream/all-failed.js';
import type { Upstream } from './upstream/upstream.js';
import { HALF_LIFE_MS, STILL_ASKED_MS } from './warmup/learned.js';
import type { World } from './world/world.js';

/** What is remembered, here and in Redis, and what decides about what comes in: whose answer it is, whether it is void, which manager said it. */
export interface Remembered {
  readonly store: MemoryStore;
  readonly voids: Voids;
  readonly world: World;
  readonly sharing: Sharing;
  readonly redis: RedisTier;
  /** The stage that remembers. */
  readonly keep: Stage;
  /** Who asks a question joins whoever asks it already. */
  readonly flight: SingleFlight;
  /** Of those who ask for themselves, in `observe`. Nobody joins anybody there, and so nobody is counted as having joined. */
  readonly watched: SingleFlight;
}

export interface RememberedOptions {
  readonly config: Pick<Config, 'cache' | 'managers' | 'redis' | 'fleet'>;
  readonly upstream: Upstream;
  /** Who is asked whether it is still the same manager. */
  readonly witness: Pick<Upstream, 'unary'>;
  readonly isAlive: RememberOptions['isAlive'];
  readonly mode: () => Mode;
  readonly redisForms: readonly EnvelopeSchema[] | undefined;
  /** Resolves when the gateway may ask something for itself. */
  readonly turn: () => Promise<void>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

const decoder = { decodeResponse };

export function createRemembered(options: RememberedOptions): Remembered {
  const { config, clock, emit } = options;
  const voids = createVoids();
  const knowledge = createKnowledge({ sharing: config.cache.sharing, decoder, emit });
  const stored = (entry: Entry): void => {
    knowledge.stored(entry);
    // What the guard holds is checked again and again, and asked for long ago; of a void answer of a snapshot only that is known.
    const sinceMs = Math.min(entry.askedAtMs, entry.checkedAtMs);
    world.learn({ ...entry, expired: voids.isVoid(entry.question.tags, sinceMs) });
  };
  const store = createMemoryStore({ maxBytes: config.cache.maxBytes, onSet: stored });
  const world = createKnownManager({ ...options, voids, classify, remembered: (key) => store.peek(key) });
  const flights = flightsOf(options, voids);
  const sharing = sharingOf(options, { knowledge, store, ...flights });
  const remembering: Omit<RememberOptions, 'filedUnder' | 'storedUnder'> = {
    store,
    voids,
    decoder,
    limits: config.cache,
    isEntry: (answer) => isEntry(answer.reply.status),
    isAlive: options.isAlive,
    clock,
    emit,
  };
  const { filedUnder, storedUnder } = sharing;
  const keep = remember({ ...remembering, filedUnder, storedUnder });
  const asIs = ({ question }: Read): Question => question;
  const keepAsIs = remember({ ...remembering, filedUnder: asIs, storedUnder: asIs });
  const redis = redisOf(options, { store, voids, keep: keepAsIs, ...flights });
  return { store, voids, world, sharing, redis, keep, ...flights };
}

type Flights = Pick<Remembered, 'flight' | 'watched'>;

function flightsOf({ config, clock, emit }: RememberedOptions, voids: Voids): Flights {
  const flying: SingleFlightOptions = {
    flightTimeoutMs: config.managers.requestTimeoutMs,
    isVoid: (tags, startedAtMs) => voids.isVoid(tags, startedAtMs),
    isAboutRequest: (answer) => isAboutRequest(answer.reply.status),
    clock,
    emit,
  };
  return {
    flight: createSingleFlight(flying),
    watched: createSingleFlight({ ...flying, emit: () => undefined }),
  };
}

function sharingOf(
  { config, upstream, mode, clock }: RememberedOptions,
  parts: Flights & { readonly knowledge: Knowledge; readonly store: MemoryStore },
): Sharing {
  const { knowledge, store, flight, watched } = parts;
  return createSharing({
    knowledge,
    store,
    limits: config.cache,
    isFact,
    isCommonFault: ({ reply }) => isCommonFault(reply.status),
    isFault: ({ reply }) => classify(reply.status) === 'transient',
    managersAway: () => allFailed(upstream.statuses()),
    askingSinceMs: (question) => (mode() === 'observe' ? watched : flight).askingSinceMs(question),
    clock,
  });
}

function redisOf(
  { config, mode, redisForms, clock, emit }: RememberedOptions,
  { store, voids, keep, flight }: Flights & Pick<Remembered, 'store' | 'voids' | 'keep'>,
): RedisTier {
  return createRedisTier({
    config: config.redis,
    fleetId: config.fleet.id,
    limits: config.cache,
    store,
    voids,
    keep,
    isUndecided,
    undecidedOf,
    first: askedByStrangers(config.fleet.id),
    inUse: () => mode() === 'answer',
    askingSinceMs: flight.askingSinceMs,
    asked: { lifetimeMs: STILL_ASKED_MS, halfLifeMs: HALF_LIFE_MS },
    ...(redisForms && { schemas: redisForms }),
    clock,
    emit,
  });
}

/** What the manager knows, and no fault or refusal. */
export function isFact({ reply }: Answer): boolean {
  return classify(reply.status) === undefined;
}
