import { createHash } from 'node:crypto';
import type { Config } from '../../config/config.js';
import type { Emit, RedisOperation } from '../../observe/events.js';
import { createRedisClient } from '../../redis/client.js';
import { createGuarded, type Guarded } from '../../redis/guarded.js';
import type { RedisKeys } from '../../redis/keys.js';
import { redisFailed } from '../../redis/redis-failed.js';
import { text } from '../../redis/reply.js';
import type { Script } from '../../redis/script.js';
import type { Touched } from '../../route/method-table.js';
import type { Clock } from '../../rpc/clock.js';
import type { Question } from '../../rpc/question.js';
import { type LookedUp, type Place, type Pulse, readLookedUp, readPulse } from './replies.js';
import { DROP, FORGET, LOOK_UP, MARK, PULSE, STORE } from './scripts.js';

/** Larger answers are neither written nor read: a list of 3,000 schedulers is about 1 MB. */
export const LARGEST_VALUE_BYTES = 4 * 1024 * 1024;
/** Nodes that may be written about before the oldest mark is folded into the one for everything. */
const MOST_MARKS = 10_000;
/** Marks that one pulse brings; when there are more, everything counts as written. */
export const PULSE_MARKS = 2_000;
/** A host name has at most 253 letters; a question with a longer tag is not for Redis, and a write to one is one to everything. */
export const LONGEST_TAG = 1_024;
/** Stands for everything among the tags. */
export const EVERYTHING = '*';

/** When, on this process's monotonic clock, Redis was asked and had answered, ms. */
export interface Span {
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** What can be said to Redis, and what it said. Every method resolves within `redis.timeout`; undefined: Redis could not. */
export interface RedisExchange {
  readonly usable: boolean;
  lookUp(question: Question, schemas: readonly number[]): Promise<(LookedUp & Span) | undefined>;
  pulse(sinceUs: number | undefined): Promise<(Pulse & Span) | undefined>;
  store(answer: StoredAnswer): Promise<string | undefined>;
  mark(touched: Touched, lifetimeMs: number, news: string): Promise<string | undefined>;
  drop(key: string, place: Place): Promise<unknown>;
  /** Takes these away, whatever lies there. */
  forget(keys: readonly string[]): Promise<unknown>;
  /** A script that writes nothing; `read` throws on what it would not say. */
  read<T>(
    operation: RedisOperation,
    script: Script,
    names: readonly string[],
    args: readonly string[],
    read: (reply: unknown) => T,
  ): Promise<T | undefined>;
  /** A script that writes, and answers with text. */
  write(
    operation: RedisOperation,
    script: Script,
    names: readonly string[],
    args: readonly string[],
  ): Promise<string | undefined>;
  connect(): void;
  close(): void;
}

export interface StoredAnswer {
  readonly name: string;
  readonly value: Buffer;
  readonly earliestUs: number;
  readonly lifetimeMs: number;
  readonly schema: number;
  readonly news: string;
  /** Stamps of what lay there before the asking; empty: nothing did. */
  readonly before: string;
}

export interface RedisExchangeOptions {
  readonly config: Config['redis'];
  readonly keys: RedisKeys;
  readonly onNews: (message: string) => void;
  readonly onSubscribed: () => void;
  readonly onReadsHalfOpen: () => void;
  readonly onReady: () => void;
  /** Connected, or failed to. */
  readonly onTried: () => void;
  readonly clock: Clock;
  readonly emit: Emit;
}

export function createRedisExchange(options: RedisExchangeOptions): RedisExchange {
  const { config, keys, clock, emit } = options;
  const client = createRedisClient({
    ...options,
    channel: keys.channel,
    onReady() {
      emit({ kind: 'redis-connected' });
      options.onReady();
      options.onTried();
    },
    onError(error) {
      emit(redisFailed('connect', error));
      options.onTried();
    },
    onSubscribeError: (error) => emit(redisFailed('subscribe', error)),
  });
  const guard = { timeoutMs: config.timeoutMs, clock, emit };
  const reads = createGuarded({ ...guard, name: 'reads', onHalfOpen: options.onReadsHalfOpen });
  const writes = createGuarded({ ...guard, name: 'writes', onHalfOpen: () => undefined });
  const marks = [keys.voids, keys.deletions];

  /** Runs a script that reads, and times it from both ends. */
  const timed = async <T>(
    script: Script,
    names: readonly string[],
    args: readonly string[],
    read: (reply: unknown) => T,
  ): Promise<T & Span> => {
    const beforeMs = clock.nowMs();
    const reply = read(await client.run(script, names, args));
    return { ...reply, beforeMs, afterMs: clock.nowMs() };
  };

  /** A connection that is not there has been told of already, and is no news about Redis's speed. */
  const whileReady = <T>(
    guarded: Guarded,
    operation: RedisOperation,
    attempt: () => Promise<T>,
  ): Promise<T | undefined> => (client.ready ? guarded.run(operation, attempt) : Promise.resolve(undefined));

  return {
    get usable() {
      return reads.closed && client.ready;
    },
    async lookUp({ key, tags }, schemas) {
      // While Redis is being tried out again nobody waits for it.
      if (!reads.closed || !client.ready) return undefined;
      const all = [...tags, EVERYTHING];
      const places = schemas.map((schema) => keys.answer(schema, key));
      return reads.run('look-up', () =>
        timed(LOOK_UP, [...marks, ...places], [String(LARGEST_VALUE_BYTES), ...all], (reply) =>
          readLookedUp(reply, places.length, all.length),
        ),
      );
    },
    pulse: (sinceUs) =>
      whileReady(reads, 'pulse', () =>
        timed(
          PULSE,
          marks,
          [sinceUs === undefined ? '-inf' : String(sinceUs), String(PULSE_MARKS), String(LONGEST_TAG)],
          readPulse,
        ),
      ),
    store({ name, value, earliestUs, lifetimeMs, schema, news, before }) {
      const stamp = String(earliestUs).padStart(16, '0');
      const args = [stamp, String(lifetimeMs), String(schema), keys.channel, news, before];
      return whileReady(writes, 'store', async () => text(await client.run(STORE, [name], [value, ...args])));
    },
    mark({ updates, deletes }, lifetimeMs, news) {
      const bounds = [String(lifetimeMs), String(MOST_MARKS), keys.channel, news, String(updates.length)];
      return whileReady(writes, 'mark', async () =>
        text(await client.run(MARK, marks, [...bounds, ...updates, ...deletes])),
      );
    },
    drop(key, place) {
      const sha = place.kind === 'value' ? createHash('sha1').update(place.value).digest('hex') : '';
      return whileReady(writes, 'drop', () => client.run(DROP, [key], [sha, String(LARGEST_VALUE_BYTES)]));
    },
    forget: (names) => whileReady(writes, 'drop', () => client.run(FORGET, names, [])),
    read: (operation, script, names, args, read) =>
      whileReady(reads, operation, async () => read(await client.run(script, names, args))),
    write: (operation, script, names, args) =>
      whileReady(writes, operation, async () => text(await client.run(script, names, args))),
    connect: () => client.connect(),
    close() {
      reads.shutdown();
      writes.shutdown();
      client.close();
    },
  };
}
