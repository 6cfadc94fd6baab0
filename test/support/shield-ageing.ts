import { startLocalManager } from './shield-manager.js';
import { settle, startShieldWorld } from './shield-world.js';
import { watchStandstill } from './standstill.js';

export interface Aged {
  /** Times that a node was inactive, and the mean of them, ms of this process's time. */
  readonly replacements: number;
  readonly meanMs: number;
  readonly longestMs: number;
  /** See Standstill. */
  readonly allowanceMs: number;
  /** Streams opened for all nodes together. */
  readonly streamsOpened: number;
}

const AGE_MS = 20_000;
const NODES = 6;

/** The manager ends every connection after 20 s (of the fleet's time), for so long. */
export async function ageConnections(lastsMs: number, timeFactor: number): Promise<Aged> {
  const manager = await startLocalManager({ timeFactor, connectionAgeMs: AGE_MS / timeFactor });
  const world = await startShieldWorld({ manager, timeFactor, through: 'gateway', nodes: NODES });
  const standstill = watchStandstill();
  try {
    await settle(world);
    const fromMs = performance.now();
    await world.pass(lastsMs);
    const lapses = (await world.lapses(fromMs, performance.now())).flat();
    const lengths = lapses.map((lapse) => lapse.toMs - lapse.fromMs);
    return {
      replacements: lengths.length,
      meanMs: lengths.reduce((sum, ms) => sum + ms, 0) / Math.max(1, lengths.length),
      longestMs: Math.max(0, ...lengths),
      allowanceMs: standstill.allowanceMs,
      streamsOpened: await manager.streamsOpened(),
    };
  } finally {
    standstill.stop();
    await world.stop();
  }
}
