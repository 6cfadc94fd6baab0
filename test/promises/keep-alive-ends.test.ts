import { afterAll, describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/defaults.js';
import { type LocalShieldManager, startLocalManager } from '../support/shield-manager.js';
import { connectPeer } from '../support/shield-stream.js';
import { TIME_FACTOR } from '../support/shield-time.js';
import { type ShieldWorld, settle, startShieldWorld } from '../support/shield-world.js';
import { watchStandstill } from '../support/standstill.js';
import { until } from '../support/until.js';

const NODES = 6;
const GRACE_MS = defaultConfig().keepAlive.graceMs;
const THREE_BEATS_MS = 15_000;
const SLACK_MS = 300;
const POLITE_MS = 1_000;

const standstill = watchStandstill();
afterAll(() => standstill.stop());
/** For a busy machine, ms of its own time. */
const slackMs = (): number => SLACK_MS + standstill.allowanceMs;

type World = ShieldWorld<LocalShieldManager>;

async function within<T>(play: (world: World) => Promise<T>): Promise<T> {
  const manager = await startLocalManager({ timeFactor: TIME_FACTOR });
  const world = await startShieldWorld({
    manager,
    timeFactor: TIME_FACTOR,
    through: 'gateway',
    nodes: NODES,
  });
  try {
    await settle(world);
    return await play(world);
  } finally {
    await world.stop();
  }
}

/** How long after `fromMs` each node went inactive to stay so, ms of this process's time; Infinity: it did not. */
async function inactiveAfter(world: World, fromMs: number): Promise<number[]> {
  const histories = await world.manager.histories(world.nodes.map(({ name }) => name));
  return histories.map((history) => {
    const last = history.at(-1);
    return last?.state === 'inactive' ? last.atMs - fromMs : Number.POSITIVE_INFINITY;
  });
}

describe.concurrent('a node that goes', () => {
  it('as its process is killed is inactive when the grace is over, and not before', async () => {
    await within(async (world) => {
      const diedAtMs = performance.now();
      world.access.cut();
      await world.pass(GRACE_MS + 2 * THREE_BEATS_MS);
      const afterMs = await inactiveAfter(world, diedAtMs);
      expect(Math.max(...afterMs)).toBeLessThanOrEqual(GRACE_MS / TIME_FACTOR + slackMs());
      expect(Math.min(...afterMs)).toBeGreaterThan(0.9 * (GRACE_MS / TIME_FACTOR));
    });
  });

  it('as its machine goes dark is inactive within the longer of the grace and three beats', async () => {
    await within(async (world) => {
      // Until then its pace is not known.
      await world.pass(8 * 5_000);
      const diedAtMs = performance.now();
      world.access.stall();
      await world.pass(GRACE_MS + 2 * THREE_BEATS_MS);
      const afterMs = await inactiveAfter(world, diedAtMs);
      expect(Math.max(...afterMs)).toBeLessThanOrEqual(
        Math.max(GRACE_MS, THREE_BEATS_MS) / TIME_FACTOR + slackMs(),
      );
      // Two beats may be lost.
      expect(Math.min(...afterMs)).toBeGreaterThan((0.6 * THREE_BEATS_MS) / TIME_FACTOR);
    });
  });

  it('politely, by a cancel as Go components do, is inactive within a second', async () => {
    await within(async (world) => {
      const stoppedAtMs = performance.now();
      await Promise.all(world.nodes.map((node) => node.stop()));
      await world.pass(10 * POLITE_MS);
      expect(Math.max(...(await inactiveAfter(world, stoppedAtMs)))).toBeLessThanOrEqual(
        POLITE_MS + standstill.allowanceMs,
      );
    });
  });

  it('by a half-close is inactive before it is answered, OK and without a message as by the manager', async () => {
    await within(async (world) => {
      await Promise.all(world.nodes.map((node) => node.stop()));
      for (const [index, { name }] of world.nodes.entries()) {
        const peer = await connectPeer(world.access.address);
        const stream = peer.open(name, index % 2 === 0 ? 'v1' : 'v2');
        stream.beat();
        const state = async () => (await world.manager.histories([name]))[0]?.at(-1)?.state;
        await until('active', async () => (await state()) === 'active');
        expect(await stream.halfClose()).toEqual({ code: 0, details: '', messages: 0 });
        expect(await state()).toBe('inactive');
        await peer.close();
      }
    });
  });

  it('silent with its stream open is inactive after three beats, and active again with the next one', async () => {
    await within(async (world) => {
      const [{ name } = { name: undefined }] = world.nodes;
      if (name === undefined) throw new Error('no node');
      await Promise.all(world.nodes.map((node) => node.stop()));
      const peer = await connectPeer(world.access.address);
      const stream = peer.open(name, 'v2');
      const intervalMs = 200;
      let lastBeatMs = 0;
      for (let beat = 0; beat < 8; beat++) {
        lastBeatMs = performance.now();
        stream.beat();
        await world.pass(intervalMs * TIME_FACTOR);
      }
      const state = async () => (await world.manager.histories([name]))[0]?.at(-1);
      expect((await state())?.state).toBe('active');
      await until('inactive', async () => (await state())?.state === 'inactive');
      const silentMs = ((await state())?.atMs ?? 0) - lastBeatMs;
      expect(silentMs).toBeGreaterThan(2 * intervalMs);
      expect(silentMs).toBeLessThan(3 * intervalMs + slackMs());
      stream.beat();
      await until('active again', async () => (await state())?.state === 'active');
      await peer.close();
    });
  });
});

describe.concurrent('a node whose connection breaks', () => {
  it.each([
    ['for a moment', 0],
    ['for 1.7 s', 1_700],
    ['for 8 s', 8_000],
  ])('%s is back within the grace, and was not inactive for a moment', async (_, forMs) => {
    await within(async (world) => {
      const cutAtMs = performance.now();
      world.access.cut();
      await world.pass(forMs);
      world.access.heal();
      await world.pass(2 * GRACE_MS);
      expect(world.nodes.map(({ streams }) => streams.broken > 0)).toEqual(Array(NODES).fill(true));
      expect(await world.lapses(cutAtMs, performance.now())).toEqual(Array(NODES).fill([]));
    });
  });

  it('and comes back by another API or another connection while the old one is not known to be dead is one node', async () => {
    await within(async (world) => {
      const [node] = world.nodes;
      if (node === undefined) throw new Error('no node');
      const fromMs = performance.now();
      world.access.stall();
      await world.pass(4_000);
      // Restarted elsewhere on its machine: a new connection, the old one in the dark.
      const peer = await connectPeer(world.gateway?.address ?? '');
      const stream = peer.open(node.name, 'v1');
      for (let beat = 0; beat < 12; beat++) {
        stream.beat();
        await world.pass(5_000);
      }
      expect((await world.lapses(fromMs, performance.now()))[0]).toEqual([]);
      await peer.close();
    });
  });
});
