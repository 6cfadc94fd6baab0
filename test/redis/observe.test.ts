import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLearnedShared } from '../../src/warmup/learned-shared.js';
import { responseOf, turn } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type Replica, type SharedManager, startReplica } from '../support/replica.js';
import { ok } from '../support/scripted-upstream.js';

const GET = 'GetScheduler';
const ASK = { hostname: 's', scheduler_cluster_id: '1' };
const TAG = JSON.stringify(['scheduler', '1', 's']);
const node = (idc: string): Buffer => responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's', idc });
const manager: SharedManager = { asked: [], auto: () => ok(node('one')) };

let redis: RedisProcess;
let observing: Replica;
let answering: Replica;

beforeEach(async () => {
  redis = await startRedis();
  [observing, answering] = await Promise.all([
    startReplica({ manager, redis: redis.address, mode: 'observe' }),
    startReplica({ manager, redis: redis.address }),
  ]);
});
afterEach(async () => {
  observing.stop();
  answering.stop();
  await redis.stop();
});

const seen = (idc: string) => ({ reply: ok(node(idc)), askedAtMs: 0, answeredAtMs: 0, manager: '' });

it('a gateway that observes lays no answer into Redis, so that it changes nobody’s', async () => {
  observing.path.watch(observing.read(GET, ASK)).saw(seen('of another manager'));
  while (observing.path.store.count === 0) await turn();
  const answer = await answering.ask(GET, ASK);
  expect([answer.source, answer.reply.message]).toEqual(['miss', node('one')]);
  await answering.seen(({ kind }) => kind === 'redis-store-ended');
  expect(observing.of('redis-store-ended')).toEqual([]);
  expect(await redis.client().keys('*:answer:*')).toHaveLength(1);
});

it('and tells of the writes that pass it, and of what callers ask', async () => {
  await answering.ask(GET, ASK);
  observing.path.written({ updates: [TAG], deletes: [] });
  const asked = answering.read(GET, ASK);
  while (answering.path.isFresh(asked)) await turn();
  observing.path.watch(observing.read(GET, ASK)).saw(seen('one'));
  // It is learned once it is answered, behind what Redis has to say about it.
  while (observing.path.learned.count === 0) await turn();
  const shared = createLearnedShared({
    asked: observing.path.redis.asked,
    learned: observing.path.learned,
    questionOf: observing.questionOf,
    clock: new ManualClock(),
    emit: () => undefined,
  });
  await shared.stop();
  const common = await answering.path.redis.asked?.read(() => true);
  expect(common?.map(({ key }) => key)).toEqual([asked.question.key]);
});
