import { describe, expect, it } from 'vitest';
import { startLocalManager } from '../support/shield-manager.js';
import { settle, startShieldWorld } from '../support/shield-world.js';
import { watchStandstill } from '../support/standstill.js';

const TIME_FACTOR = 10;
const NODES = 20;
/** Not divided: how long they may be inactive once the manager can be reached again. */
const ALLOWED_MS = 1_500;

describe('behind the gateway', () => {
  it('nodes whose link to the manager is cut for 1.7 s are active again as soon as it is back', async () => {
    const manager = await startLocalManager({ timeFactor: TIME_FACTOR });
    const world = await startShieldWorld({
      manager,
      timeFactor: TIME_FACTOR,
      through: 'gateway',
      nodes: NODES,
    });
    try {
      await settle(world);
      world.link.cut();
      await world.pass(1_700);
      world.link.heal();
      const standstill = watchStandstill();
      const healedAtMs = performance.now();
      await world.allActive();
      await world.pass(20_000);
      const afterMs = await world.inactive(healedAtMs, performance.now());
      // A dial that was refused is tried again after up to 1.2 s of real time.
      expect(Math.max(...afterMs)).toBeLessThan(ALLOWED_MS + standstill.allowanceMs);
      standstill.stop();
      expect(world.gateway?.events.filter(({ kind }) => kind === 'node-opened')).toHaveLength(NODES);
      // The nodes have noticed nothing.
      expect(world.nodes.map(({ streams }) => streams)).toEqual(
        world.nodes.map(() => ({ opened: 1, broken: 0 })),
      );
    } finally {
      await world.stop();
    }
  });
});
