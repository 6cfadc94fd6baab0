import type { NodeName } from '../../src/simulator/manager/manager-record.js';
import { type LocalShieldManager, startLocalManager } from './shield-manager.js';
import type { ShieldWorld } from './shield-world.js';
import { settle, startShieldWorld } from './shield-world.js';

type World = ShieldWorld<LocalShieldManager>;

export async function withWorld<T>(
  options: { readonly timeFactor: number; readonly nodes: number; readonly sets?: readonly string[] },
  play: (world: World) => Promise<T>,
): Promise<T> {
  const manager = await startLocalManager({ timeFactor: options.timeFactor });
  const world = await startShieldWorld({ ...options, manager, through: 'gateway' });
  try {
    await settle(world);
    return await play(world);
  } finally {
    await world.stop();
  }
}

/** Resolves with the moment (`performance.now`) when every node is active at or after `sinceMs`, by the record. */
export async function activeAgain(
  world: World,
  names: readonly NodeName[],
  sinceMs: number,
  limitMs: number,
): Promise<number> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    const lasts = (await world.manager.histories(names)).map((history) => history.at(-1));
    if (lasts.every((last) => last?.state === 'active'))
      return Math.max(sinceMs, ...lasts.map((last) => last?.atMs ?? 0));
    if (performance.now() > untilMs)
      throw new Error(
        `after ${limitMs} ms: ${lasts.map((last) => `${last?.state} by ${last?.cause}`).join(', ')}`,
      );
    await world.pass(200);
  }
}
