import { afterAll, describe, expect, it } from 'vitest';
import { type LocalShieldManager, startLocalManager } from '../support/shield-manager.js';
import { ShieldNode } from '../support/shield-node.js';
import { activeAgain, withWorld } from '../support/shield-rows.js';
import { limitOf, TIME_FACTOR } from '../support/shield-time.js';
import { type ShieldWorld, settle, startShieldWorld } from '../support/shield-world.js';
import { watchStandstill } from '../support/standstill.js';
import { until } from '../support/until.js';

/** The manager's minutes of caching pass so fast that a test can wait for their end; its beats are as fast. */
const CACHES_FACTOR = TIME_FACTOR === 1 ? 1 : 50;
const NODES = 6;
/** Not divided: registering and opening take as long as they take. */
const AGAIN_MS = 2_000;
/** In Redis, then once more in the process, then in the query cache: what the manager may go on answering (protocol). */
const CACHED_MS = (5 + 3) * 60_000 + 30_000;
const RECONCILE_MS = 1.2 * 30_000;

const standstill = watchStandstill();
afterAll(() => standstill.stop());

describe.concurrent('a node whose row is deleted', () => {
  it('while its link is broken is registered and active within 2 s after it is back', async () => {
    await withWorld({ timeFactor: TIME_FACTOR, nodes: NODES }, async (world) => {
      const names = world.nodes.map(({ name }) => name);
      world.link.cut();
      await world.pass(5_000);
      for (const name of names) await world.manager.deleteRow(name);
      world.link.heal();
      const healedAtMs = performance.now();
      const activeAtMs = await activeAgain(world, names, healedAtMs, 5_000);
      expect(activeAtMs - healedAtMs).toBeLessThanOrEqual(AGAIN_MS + standstill.allowanceMs);
      // And nobody below has noticed.
      expect(world.nodes.map(({ streams }) => streams.broken)).toEqual(Array(NODES).fill(0));
    });
  });

  it(
    'under its open stream is registered and active within a look after the manager lets it be seen',
    async () => {
      await withWorld({ timeFactor: CACHES_FACTOR, nodes: NODES }, async (world) => {
        const names = world.nodes.map(({ name }) => name);
        await world.pass(RECONCILE_MS);
        const deletedAtMs = performance.now();
        for (const name of names) await world.manager.deleteRow(name);
        const limitMs = (CACHED_MS + RECONCILE_MS) / CACHES_FACTOR + AGAIN_MS;
        const activeAtMs = await activeAgain(world, names, deletedAtMs, 2 * limitMs);
        expect(activeAtMs - deletedAtMs).toBeLessThanOrEqual(limitMs + standstill.allowanceMs);
      });
    },
    limitOf(90_000),
  );

  it('is not registered again once it has gone itself', async () => {
    await withWorld({ timeFactor: TIME_FACTOR, nodes: 3 }, async (world) => {
      const names = world.nodes.map(({ name }) => name);
      await Promise.all(world.nodes.map((node) => node.stop()));
      for (const name of names) await world.manager.deleteRow(name);
      world.link.blink();
      await world.pass(3 * RECONCILE_MS);
      const lasts = (await world.manager.histories(names)).map((history) => history.at(-1)?.state);
      expect(lasts).toEqual(['gone', 'gone', 'gone']);
    });
  });
});

describe.concurrent('a scheduler that came back with a new address beside its old inactive row', () => {
  it.each(['v2', 'v1'] as const)(
    'keeps its one stream (%s)',
    async (api) => {
      const manager = await startLocalManager({ timeFactor: TIME_FACTOR });
      const { record } = manager.simulated;
      const old = { kind: 'scheduler', clusterId: 1, hostname: 'scheduler-0', ip: '127.66.0.1' } as const;
      record.addScheduler({ ...old, state: 'inactive' });
      const world: ShieldWorld<LocalShieldManager> = await startShieldWorld({
        manager,
        timeFactor: TIME_FACTOR,
        through: 'gateway',
        nodes: 0,
      });
      const name = { ...old, ip: '127.66.0.2' };
      const node = new ShieldNode({ name, api, address: world.access.address, timeFactor: TIME_FACTOR });
      try {
        await settle(world);
        await node.start();
        await until('active', async () => (await manager.histories([name]))[0]?.at(-1)?.state === 'active');
        const fromMs = performance.now();
        await world.pass(4 * RECONCILE_MS);
        expect(await manager.streamsOpened()).toBe(1);
        expect((await manager.histories([name]))[0]?.filter(({ atMs }) => atMs > fromMs)).toEqual([]);
      } finally {
        await node.stop();
        await world.stop();
      }
    },
    limitOf(60_000),
  );
});
