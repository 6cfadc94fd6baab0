import { describe, expect, it } from 'vitest';
import { startLocalManager } from '../support/shield-manager.js';
import { settle, startShieldWorld } from '../support/shield-world.js';

/** What is measured here shows that the suites of the shield measure right, and what nodes go through without it. */
const TIME_FACTOR = 10;
const NODES = 20;
const WATCHED_MS = 60_000;

interface Cut {
  /** Nodes that were inactive when the link was healed. */
  readonly inactiveAtOnce: number;
  /** How long each was inactive after that, ms of the fleet's time, the shortest first. */
  readonly afterMs: readonly number[];
}

async function cutFor(cutMs: number): Promise<Cut> {
  const manager = await startLocalManager({ timeFactor: TIME_FACTOR });
  const world = await startShieldWorld({
    manager,
    timeFactor: TIME_FACTOR,
    through: 'nothing',
    nodes: NODES,
  });
  try {
    await settle(world);
    const cutAtMs = performance.now();
    world.link.cut();
    await world.pass(cutMs);
    world.link.heal();
    const healedAtMs = performance.now();
    await world.pass(WATCHED_MS);
    const during = await world.inactive(cutAtMs, healedAtMs);
    const after = await world.inactive(healedAtMs, healedAtMs + WATCHED_MS / TIME_FACTOR);
    return {
      inactiveAtOnce: during.filter((ms) => ms > 0).length,
      afterMs: after.map((ms) => ms * TIME_FACTOR).sort((a, b) => a - b),
    };
  } finally {
    await world.stop();
  }
}

describe.concurrent('without a gateway', () => {
  // Measured on a real scheduler: 6.5 s.
  it('nodes whose link is cut for 1.7 s are inactive at once, and for 5 to 10 s after it is back', async () => {
    const { inactiveAtOnce, afterMs } = await cutFor(1_700);
    expect(inactiveAtOnce).toBe(NODES);
    expect(afterMs[0]).toBeGreaterThan(4_500);
    expect(median(afterMs)).toBeLessThan(12_000);
  });

  // Measured on a real scheduler: 22.4 s.
  it('nodes whose link is cut for 30 s are inactive at once, and for 5 to 25 s after it is back', async () => {
    const { inactiveAtOnce, afterMs } = await cutFor(30_000);
    expect(inactiveAtOnce).toBe(NODES);
    expect(afterMs[0]).toBeGreaterThan(4_500);
    expect(median(afterMs)).toBeLessThan(30_000);
  });
});

function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
