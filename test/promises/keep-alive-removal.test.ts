import { afterAll, describe, expect, it } from 'vitest';
import type { LocalShieldManager } from '../support/shield-manager.js';
import { ShieldNode } from '../support/shield-node.js';
import { withWorld } from '../support/shield-rows.js';
import type { ShieldWorld } from '../support/shield-world.js';
import { watchStandstill } from '../support/standstill.js';

/** docs/operation.md, "Removing the last gateway". */
const TIME_FACTOR = 10;
const NODES = 6;
const INTERVAL_MS = 5_000;
/** Of the fleet's time: a busy machine that runs ten times as fast. */
const SLACK_MS = 4_000;

const standstill = watchStandstill();
afterAll(() => standstill.stop());

type World = ShieldWorld<LocalShieldManager>;

async function remove(world: World): Promise<void> {
  world.access.retarget(world.manager.address);
  const { clean } = (await world.gateway?.gateway.drain()) ?? { clean: false };
  expect(clean).toBe(true);
}

/** Longest time that a node was inactive, ms of the fleet's time. */
async function longestMs(world: World, fromMs: number): Promise<number> {
  await world.pass(60_000);
  return Math.max(...(await world.inactive(fromMs, performance.now()))) * TIME_FACTOR;
}

describe.concurrent('removing the last gateway', () => {
  it('under nodes that stay is seen as the break of one stream each: inactive until the node has come back itself', async () => {
    await withWorld({ timeFactor: TIME_FACTOR, nodes: NODES }, async (world) => {
      const fromMs = performance.now();
      await remove(world);
      expect(await longestMs(world, fromMs)).toBeLessThanOrEqual(
        2 * INTERVAL_MS + SLACK_MS + standstill.allowanceMs * TIME_FACTOR,
      );
      // Nobody's new stream was hit by the end of the old one.
      await world.allActive(0);
    });
  });

  it('is not seen at all when it is removed while the manager is stopped', async () => {
    await withWorld({ timeFactor: TIME_FACTOR, nodes: NODES }, async (world) => {
      const fromMs = performance.now();
      await world.manager.simulated.stop();
      await remove(world);
      await world.manager.simulated.restart();
      expect(await longestMs(world, fromMs)).toBe(0);
      await world.allActive(0);
    });
  });

  it('is not seen when every node has been restarted with the address of the manager before', async () => {
    await withWorld({ timeFactor: TIME_FACTOR, nodes: NODES }, async (world) => {
      const moved: ShieldNode[] = [];
      for (const { name, stop } of world.nodes.map((node) => ({
        name: node.name,
        stop: () => node.stop(),
      }))) {
        await stop();
        const api = name.kind === 'scheduler' ? 'v2' : 'v1';
        const node = new ShieldNode({ name, api, address: world.manager.address, timeFactor: TIME_FACTOR });
        moved.push(node);
        await node.start();
        await world.pass(2 * INTERVAL_MS);
      }
      await world.allActive();
      const fromMs = performance.now();
      await remove(world);
      expect(await longestMs(world, fromMs)).toBe(0);
      await Promise.all(moved.map((node) => node.stop()));
    });
  });
});
