import { afterAll, describe, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type LocalShieldManager, startLocalManager } from '../support/shield-manager.js';
import { ShieldRelay } from '../support/shield-relay.js';
import { type ShieldWorld, settle, startShieldWorld } from '../support/shield-world.js';
import { watchStandstill } from '../support/standstill.js';

/** Two managers with one database, as a deployment of two has it: what one of them writes the other does not show for minutes. */
const TIME_FACTOR = 10;
const NODES = 8;
const INACTIVE_MS = 1_500;
/** Where there is another one to go to. */
const MOVED_MS = 500;
const LASTS_MS = 60_000;
const WATCHED_MS = 80_000;

const standstill = watchStandstill();
afterAll(() => standstill.stop());

interface Pair {
  readonly world: ShieldWorld<LocalShieldManager>;
  readonly one: SimulatedManager;
  readonly other: SimulatedManager;
  readonly link: ShieldRelay;
}

async function withPair(play: (pair: Pair) => Promise<void>): Promise<{ duringMs: number; afterMs: number }> {
  const manager = await startLocalManager({ timeFactor: TIME_FACTOR });
  const { simulated: one } = manager;
  const other = await startSimulatedManager({ timeFactor: TIME_FACTOR, record: one.record, seed: 2 });
  const link = await ShieldRelay.start(one.address);
  const addrs = JSON.stringify([link.address, other.address]);
  const world = await startShieldWorld({
    manager,
    timeFactor: TIME_FACTOR,
    through: 'gateway',
    nodes: NODES,
    sets: [`managers.addrs=${addrs}`],
  });
  try {
    await settle(world);
    // Otherwise it would be shown of one manager only.
    expect(Math.min(one.stats.keepAliveStreamsOpen, other.stats.keepAliveStreamsOpen)).toBeGreaterThan(0);
    const fromMs = performance.now();
    await play({ world, one, other, link });
    const backAtMs = performance.now();
    await world.pass(WATCHED_MS);
    const [during, after] = [
      await world.inactive(fromMs, backAtMs),
      await world.inactive(backAtMs, performance.now()),
    ];
    return { duringMs: Math.max(...during), afterMs: Math.max(...after) };
  } finally {
    await world.stop();
    await Promise.all([other.stop(), link.stop()]);
  }
}

describe.concurrent('nodes at one of two managers', () => {
  it('whose link is cut go to the other one at once', async () => {
    const { duringMs, afterMs } = await withPair(async ({ world, link }) => {
      link.cut();
      await world.pass(LASTS_MS);
      link.heal();
    });
    expect(duringMs).toBeLessThanOrEqual(MOVED_MS + standstill.allowanceMs);
    expect(afterMs).toBeLessThanOrEqual(MOVED_MS + standstill.allowanceMs);
  }, 60_000);

  it('that is killed are not inactive for a moment', async () => {
    const { duringMs, afterMs } = await withPair(async ({ world, one }) => {
      await one.stop();
      await world.pass(LASTS_MS);
      await one.restart();
    });
    expect([duringMs, afterMs]).toEqual([0, 0]);
  }, 60_000);

  it.each(['one', 'other'] as const)(
    'that is frozen and wakes up when they have moved are inactive for 1.5 s at the most (the %s)',
    async (which) => {
      const { duringMs, afterMs } = await withPair(async ({ world, ...pair }) => {
        pair[which].setFault({ kind: 'frozen' });
        await world.pass(LASTS_MS);
        pair[which].clearFault('frozen');
      });
      expect(duringMs).toBeLessThanOrEqual(MOVED_MS + standstill.allowanceMs);
      expect(afterMs).toBeLessThanOrEqual(INACTIVE_MS + standstill.allowanceMs);
    },
    60_000,
  );

  it('that tells its connections to go move without hurting', async () => {
    const { duringMs, afterMs } = await withPair(async ({ world, one }) => {
      one.setFault({ kind: 'connection-age' });
      await world.pass(LASTS_MS);
    });
    expect(duringMs).toBeLessThanOrEqual(100 + standstill.allowanceMs);
    expect(afterMs).toBe(0);
  }, 60_000);
});
