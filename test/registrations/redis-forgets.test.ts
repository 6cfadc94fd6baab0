import { describe, expect, it } from 'vitest';
import { NODE } from '../support/registrations-bench.js';
import { lookingUntil, type RegistrationsReplica } from '../support/registrations-replica.js';
import { deleting, KEYS, ROW, registering, replicasOnRedis } from '../support/registrations-replicas.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const world = replicasOnRedis();
const { replica, three, away, back, nothingPending } = world;

describe('without Redis', () => {
  /** Or it is pending no more, as something that came after it. */
  async function toldThatPendingAt({ part }: RegistrationsReplica): Promise<void> {
    await lookingUntil([], async () => part.pending() === 0 || !(await nothingPending()));
    expect([part.pending(), await nothingPending()]).toEqual([1, false]);
  }

  it('that is dead, what is on a disk is acknowledged and made up for; what is on none is not', async () => {
    const [a, b] = await three();
    await a.part.write(registering('scheduler'));
    await b.part.write(registering('scheduler', { hostname: 'm' }));
    await world.redis.kill();
    away();
    expect((await a.part.write(registering('scheduler'))).journaled).toBe(true);
    expect((await b.part.write(registering('scheduler', { hostname: 'm' }))).journaled).toBe(false);
    back();
    await lookingUntil([a], () => a.part.pending() === 0);
    expect(world.manager.writes()).toEqual([`UpdateScheduler ${ROW}`]);
  });

  it('that comes back empty, what it knew is told to it again', async () => {
    const [a, b] = await three();
    for (const hostname of ['n', 'm']) await a.part.write(registering('scheduler', { hostname }));
    const moments = (): Promise<string[]> => world.client.zrange(`${KEYS}:known-at`, '0', '-1', 'WITHSCORES');
    const before = await moments();
    away();
    await a.part.write(registering('scheduler'));
    await world.restartRedis();
    await lookingUntil([], async () => (await world.client.hlen(`${KEYS}:known`)) === 2);
    // As of the same moments: otherwise what was acknowledged right after them would be taken for settled, and lost.
    expect(await moments()).toEqual(before);
    await toldThatPendingAt(a);
    await a.vanish();
    // Through a connection that it has made anew itself.
    await lookingUntil(
      [b],
      async () => (await b.part.write(registering('scheduler', { hostname: 'm' }))).journaled,
    );
    back();
    await lookingUntil([b], nothingPending);
    expect(world.manager.writes().toSorted()).toEqual([
      `UpdateScheduler m ${NODE.ip}`,
      `UpdateScheduler ${ROW}`,
    ]);
  });

  it('that was frozen when it was told of one, what was acknowledged before it thawed is not taken for settled', async () => {
    const a = await replica({ dir: temporaryDirectory(), sets: ['redis.timeout=300ms'] });
    // Redis knows the scripts then.
    await a.part.write(registering('scheduler', { hostname: 'm' }));
    // The turn has been given; that the manager has taken it is heard there when it thaws.
    world.manager.hold = async () => world.redis.freeze();
    await a.part.write(registering('scheduler'));
    away();
    expect((await a.part.write(registering('scheduler'))).journaled).toBe(true);
    world.redis.thaw();
    await toldThatPendingAt(a);
  });

  it('what was settled and deleted meanwhile is told when it is back, and stays so', async () => {
    const [a, b] = await three();
    await a.part.write(registering('seed-peer'));
    away();
    await a.part.write(registering('seed-peer'));
    back();
    world.redis.freeze();
    const slow = await replica({ dir: temporaryDirectory(), sets: ['redis.timeout=50ms'] });
    await slow.part.write(deleting());
    expect(world.manager.writes()).toEqual(['DeleteSeedPeer n ']);
    world.redis.thaw();
    await lookingUntil([], async () => (await world.client.zcard(`${KEYS}:deleted-at`)) === 1);
    for (const one of [a, b]) one.alive = () => true;
    await lookingUntil([a, b], () => a.part.pending() === 0);
    expect(world.manager.writes()).toEqual(['DeleteSeedPeer n ']);
  });
});

describe('a Redis that is started again from an old dump', () => {
  async function dumpedWhilePending() {
    const replicas = await three();
    await replicas[0].part.write(registering('scheduler'));
    away();
    await replicas[0].part.write(registering('scheduler'));
    await world.client.save();
    return replicas;
  }

  /** With what it knew then, and has forgotten since what it was told later. */
  async function startedFromTheDump(): Promise<void> {
    expect(await nothingPending()).toBe(true);
    await world.restartRedis();
    expect(await nothingPending()).toBe(false);
    back();
  }

  it('has nobody make up for what was settled since', async () => {
    const [a, b, c] = await dumpedWhilePending();
    back();
    await lookingUntil([a], nothingPending);
    await startedFromTheDump();
    await lookingUntil([a, b, c], nothingPending);
    expect(world.manager.asked).toEqual([]);
  });

  it('keeps what is still pending, and it is made up for once, if a little later', async () => {
    const [a, b, c] = await dumpedWhilePending();
    await world.restartRedis();
    back();
    await lookingUntil([a, b, c], nothingPending);
    expect(world.manager.writes()).toEqual([`UpdateScheduler ${ROW}`]);
  });
});
