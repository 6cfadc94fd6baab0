import { expect, it } from 'vitest';
import { keptBy, laggingFollowerPromoted } from '../support/redis-generations.js';
import { nodeOf } from '../support/registrations-bench.js';
import { lookingUntil, type RegistrationsReplica } from '../support/registrations-replica.js';
import { deleting, registering, replicasOnRedis } from '../support/registrations-replicas.js';

const world = replicasOnRedis();
const { replica, away, back, nothingPending } = world;

async function acknowledgedBy(one: RegistrationsReplica, kind: 'scheduler' | 'seed-peer'): Promise<void> {
  await one.part.write(registering(kind));
  away();
  expect((await one.part.write(registering(kind))).journaled).toBe(true);
}

it('a replica that itself starts just after it does not make up for what another one has settled', async () => {
  const a = await replica();
  await acknowledgedBy(a, 'scheduler');
  const kept = await keptBy(world.client);
  back();
  await lookingUntil([a], nothingPending);
  back();
  await laggingFollowerPromoted(world.client, kept);
  const late = await replica();
  await lookingUntil([late], nothingPending);
  expect(world.manager.asked).toEqual([]);
});

it('without a connection that has ended, too, nobody brings back what was deleted since', async () => {
  const [a, b, c] = [await replica(), await replica(), await replica()];
  await acknowledgedBy(a, 'seed-peer');
  const kept = await keptBy(world.client);
  back();
  await b.part.write(deleting());
  for (const one of [a, b, c]) one.alive = () => true;
  await lookingUntil([a], () => a.part.pending() === 0);
  back();
  await laggingFollowerPromoted(world.client, kept);
  const replays: string[] = [];
  const again = async (): Promise<boolean> =>
    replays.push(await c.part.replayNode(nodeOf('seed-peer'), { force: true })) > 0 &&
    replays.at(-1) !== 'later';
  await lookingUntil([], again);
  expect([replays[0], replays.at(-1)]).toEqual(['later', 'unknown']);
  await lookingUntil([a, b, c], nothingPending);
  expect(world.manager.asked).toEqual([]);
});

it('one that was emptied is told what was settled before who acknowledged it makes up for it once more', async () => {
  const [a, b] = [await replica(), await replica()];
  await acknowledgedBy(a, 'scheduler');
  back();
  await lookingUntil([b], nothingPending);
  back();
  // It has not heard yet that it is settled.
  expect(a.part.pending()).toBe(1);
  await world.client.flushall();
  await lookingUntil([a], () => a.part.pending() === 0);
  expect([world.manager.asked, await nothingPending()]).toEqual([[], true]);
});
