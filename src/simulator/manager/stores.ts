import { Code } from '../../rpc/status.js';
import type { FaultBoard } from './fault-board.js';
import type { ManagerRecord } from './manager-record.js';
import type { ManagerVersion } from './manager-version.js';
import { Refusal } from './refusal.js';

/** Real durations of the manager; all of them are divided by the time factor (source, and measured). */
const REDIS_TTL_MS = 5 * 60_000;
const PROCESS_TTL_MS = 3 * 60_000;
const QUERY_TTL_MS = 30_000;
const FROZEN_ACCESS_MS = 3_000;
const DEAD_ACCESS_MS = { 'v2.5.1': 1_700, 'v2.1.55': 70 } as const;

/** The call on whose behalf the stores are asked. */
export type Asking = { readonly signal: AbortSignal; redisDelayPaid: boolean };

type Held<T> = { readonly value: T; readonly expiresAtMs: number };

/**
 * Where one manager process keeps and finds things: the answers cached in the process and in Redis, the query cache
 * of v2.5, and the database, each with its faults.
 */
export class Stores {
  readonly #record: ManagerRecord;
  readonly #faults: FaultBoard;
  readonly #version: ManagerVersion;
  readonly #timeFactor: number;
  readonly #answers = new Map<string, Held<Buffer>>();
  readonly #queries = new Map<string, Held<unknown>>();

  constructor(options: {
    readonly record: ManagerRecord;
    readonly faults: FaultBoard;
    readonly version: ManagerVersion;
    readonly timeFactor: number;
  }) {
    this.#record = options.record;
    this.#faults = options.faults;
    this.#version = options.version;
    this.#timeFactor = options.timeFactor;
  }

  /** The answer under `key`; otherwise `make` makes it, and it is kept unless `isKept` says no. */
  async answer(
    asking: Asking,
    key: string,
    make: () => Promise<Buffer>,
    isKept: (answer: Buffer) => boolean = () => true,
  ): Promise<Buffer> {
    const near = this.#alive(this.#answers.get(key));
    if (near !== undefined) return near.value;
    const far = (await this.#redis(asking)) ? this.#alive(this.#record.redis.get(key)) : undefined;
    if (far !== undefined) {
      this.#answers.set(key, this.#held(far.value, PROCESS_TTL_MS));
      return far.value;
    }
    const made = await make();
    if (!isKept(made)) return made;
    this.#answers.set(key, this.#held(made, PROCESS_TTL_MS));
    // The manager's cache looks again before it writes: two more accesses.
    await this.#redis(asking);
    if (await this.#redis(asking)) this.#record.redis.set(key, this.#held(made, REDIS_TTL_MS));
    return made;
  }

  /** Forgets answers here and in Redis; other processes keep theirs. */
  async forget(asking: Asking, keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#answers.delete(key);
    if (!(await this.#redis(asking))) return;
    for (const key of keys) this.#record.redis.delete(key);
  }

  /** A read of the database. v2.5 remembers what it read, and that it found nothing. */
  async read<T>(asking: Asking, query: string, run: () => T): Promise<T> {
    const remembered = this.#alive(this.#queries.get(query));
    // What is kept under a query was made by the `run` of the same query.
    if (remembered !== undefined) return remembered.value as T;
    await this.#database(asking);
    // Rows change in place: what is remembered is a copy of how they were.
    const found = structuredClone(run());
    if (this.#version === 'v2.5.1') this.#queries.set(query, this.#held(found, QUERY_TTL_MS));
    return found;
  }

  /** A write to the database. It empties this process's query cache, not the answers. */
  async write<T>(asking: Asking, run: () => T): Promise<T> {
    await this.#database(asking);
    this.#queries.clear();
    return run();
  }

  /** A write so frequent that the query cache is left alone: the worse case for whoever believes it. */
  async writeBeat(asking: Asking, run: () => void): Promise<void> {
    await this.#database(asking);
    run();
  }

  async #database(asking: Asking): Promise<void> {
    await this.#faults.ended('database-frozen', asking.signal);
    if (asking.signal.aborted) throw new Refusal(Code.CANCELLED, 'context canceled');
    if (this.#faults.get('database-dead') !== undefined) {
      throw new Refusal(Code.INTERNAL, 'dial tcp 127.0.0.1:3306: connect: connection refused');
    }
    if (this.#faults.get('too-many-connections') !== undefined) {
      throw new Refusal(Code.INTERNAL, 'Error 1040: Too many connections');
    }
    const error = this.#faults.get('database-error');
    if (error !== undefined) throw new Refusal(Code.INTERNAL, error.message);
  }

  /** Takes as long as Redis takes now; false: it is not to be had, and the manager goes on without it. */
  async #redis(asking: Asking): Promise<boolean> {
    const frozen = this.#faults.get('redis-frozen');
    const fault = frozen ?? this.#faults.get('redis-dead');
    if (fault === undefined) return true;
    const accessMs = frozen === undefined ? DEAD_ACCESS_MS[this.#version] : FROZEN_ACCESS_MS;
    const delayMs =
      fault.delayMs === undefined ? accessMs / this.#timeFactor : asking.redisDelayPaid ? 0 : fault.delayMs;
    asking.redisDelayPaid = true;
    await this.#faults.pause(delayMs, asking.signal);
    return false;
  }

  #held<T>(value: T, ttlMs: number): Held<T> {
    return { value, expiresAtMs: this.#record.clock.nowMs() + ttlMs / this.#timeFactor };
  }

  #alive<H extends { readonly expiresAtMs: number }>(held: H | undefined): H | undefined {
    return held !== undefined && held.expiresAtMs > this.#record.clock.nowMs() ? held : undefined;
  }
}
