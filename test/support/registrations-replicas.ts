import type { Redis } from 'ioredis';
import { afterEach, beforeEach } from 'vitest';
import type { UnaryRequest } from '../../src/rpc/call.js';
import { asForLong } from './redis-generations.js';
import { type RedisProcess, startRedis } from './redis-process.js';
import * as bench from './registrations-bench.js';
import { NODE } from './registrations-bench.js';
import {
  type RegistrationsReplica,
  type ReplicaOptions,
  type RowsManager,
  registrationsReplica,
  rowsManager,
} from './registrations-replica.js';
import { temporaryDirectory } from './temporary-directory.js';

/** As a manager that was asked for it names the node of the bench. */
export const ROW = `${NODE.hostname} ${NODE.ip}`;
/** Where registrations lie in Redis. */
export const KEYS = 'dfmgw:1:{f1}:registrations';

/** Replicas of one test, with their Redis and their manager. */
export interface ReplicasOnRedis {
  readonly redis: RedisProcess;
  /** A connection of the test's own. */
  readonly client: Redis;
  readonly manager: RowsManager;
  replica(over?: Partial<ReplicaOptions>): Promise<RegistrationsReplica>;
  /** The first has a disk. */
  three(): Promise<[RegistrationsReplica, RegistrationsReplica, RegistrationsReplica]>;
  /** The manager goes; … */
  away(): void;
  /** … and comes again. It has lost what it was told, or forgets it while it is away. */
  back(): void;
  /** With another connection of the test's own. */
  restartRedis(): Promise<void>;
  nothingPending(): Promise<boolean>;
}

/** Call once per test file. */
export function replicasOnRedis(): ReplicasOnRedis {
  let redis: RedisProcess;
  let client: Redis;
  let manager: RowsManager;

  beforeEach(async () => {
    redis = await startRedis();
    client = redis.client();
    await asForLong(client, 'registrations');
    manager = rowsManager();
  });
  afterEach(() => redis.stop());

  const replica = (over: Partial<ReplicaOptions> = {}): Promise<RegistrationsReplica> =>
    registrationsReplica({ manager, redis: redis.address, ...over });

  return {
    get redis() {
      return redis;
    },
    get client() {
      return client;
    },
    get manager() {
      return manager;
    },
    replica,
    three: async () => [await replica({ dir: temporaryDirectory() }), await replica(), await replica()],
    away() {
      manager.there = false;
    },
    back() {
      manager.there = true;
      manager.rows.clear();
      manager.asked.length = 0;
    },
    async restartRedis() {
      await redis.restart();
      client = redis.client();
    },
    nothingPending: async () => (await client.hlen(`${KEYS}:pending`)) === 0,
  };
}

// On the time of the machine.
const inTime = (request: UnaryRequest): UnaryRequest => ({
  ...request,
  deadlineMs: performance.now() + 20_000,
});

export const registering = (...args: Parameters<typeof bench.registering>): UnaryRequest =>
  inTime(bench.registering(...args));
export const deleting = (...args: Parameters<typeof bench.deleting>): UnaryRequest =>
  inTime(bench.deleting(...args));
