import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { responseOf, turn } from '../support/data-path.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { OffsetClock, type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { ok } from '../support/scripted-upstream.js';

const TTL_MS = 1_000;
const YAML = `cache: { methods: { GetScheduler: { ttl: ${TTL_MS}ms, swr: ${TTL_MS}ms } } }`;
const ask = (hostname: string) => ({ hostname, scheduler_cluster_id: '1' });
const HOUR_MS = 3_600_000;

let redis: RedisProcess;
let replicas: Replica[];
let clocks: OffsetClock[];
let manager: SharedManager;
/** The manager's answer says how many askings came before it: what was asked for later shows more. */
let askings: number;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.client().flushall();
  askings = 0;
  manager = {
    asked: [],
    async auto() {
      const reply = ok(responseOf('/manager.v2.Manager/GetScheduler', { id: String(++askings) }));
      // Answers overtake each other.
      await new Promise((resolve) => setTimeout(resolve, (askings * 7) % 20));
      return reply;
    },
  };
  clocks = [new OffsetClock(0, 0), new OffsetClock(9_999_999, HOUR_MS), new OffsetClock(77, -HOUR_MS)];
  replicas = await Promise.all(
    clocks.map((clock) => startReplica({ manager, redis: redis.address, yaml: YAML, clock })),
  );
});
afterEach(() => {
  for (const replica of replicas) replica.stop();
});

const shown = (message: Buffer | undefined): number => {
  let value = 0;
  for (const [index, byte] of [...(message ?? Buffer.alloc(0)).subarray(1)].entries())
    value |= (byte & 0x7f) << (7 * index);
  return value;
};

describe('three replicas on one Redis', () => {
  it('ask at most three times per key and TTL for 3,000 callers, and go back for none of them', async () => {
    const keys = ['a', 'b', 'c'];
    const newest = new Map<string, number>();
    const beginMs = performance.now();
    let hits = 0;
    for (let round = 0; performance.now() - beginMs < 4 * TTL_MS || hits <= 3_000; round++) {
      (clocks[2] as OffsetClock).wallOffsetMs += round % 2 === 0 ? 5 * HOUR_MS : -7 * HOUR_MS;
      await Promise.all(
        replicas.flatMap((replica, index) =>
          Array.from({ length: 1_000 }, async (_, caller) => {
            const key = keys[caller % keys.length] as string;
            const answer = await replica.ask('GetScheduler', ask(key));
            expect(answer.reply.status.code).toBe(0);
            if (answer.source === 'hit') hits++;
            const seen = `${index} ${key}`;
            const id = shown(answer.reply.message);
            expect(id).toBeGreaterThanOrEqual(newest.get(seen) ?? 0);
            newest.set(seen, id);
          }),
        ),
      );
      await turn();
    }
    const ttls = Math.ceil((performance.now() - beginMs) / TTL_MS) + 1;
    expect(manager.asked.length).toBeLessThanOrEqual(3 * keys.length * ttls);
    expect(manager.asked.length).toBeGreaterThan(keys.length);
    expect(replicas.flatMap((replica) => replica.of('redis-answer-rejected'))).toEqual([]);
  });
});
