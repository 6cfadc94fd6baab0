import type { Claims } from '../../src/keepalive/claims.js';
import { type NodeRecord, nodeKeyOf } from '../../src/keepalive/node.js';
import { beatOf, INTERVAL_MS, shieldBench, V1 } from './shield-bench.js';

/** The node of the bench. */
export const NODE = {
  kind: 'scheduler',
  source: 'SCHEDULER_SOURCE',
  clusterId: '1',
  hostname: 'node',
  ip: '127.0.0.1',
} as const;
export const KEY = nodeKeyOf(NODE);
export const RECORD: NodeRecord = { node: NODE, path: V1, first: beatOf(), intervalMs: INTERVAL_MS };

/** Claims in the test's hand: takes wait for the test, and everything is written down. */
export function sharedBench(over: Partial<Claims> = {}) {
  const [taken, released, offered]: [NodeRecord[], string[], string[]] = [[], [], []];
  let give: () => void = () => undefined;
  const bench = shieldBench({
    claims: {
      take: (record) => {
        taken.push(record);
        return new Promise((resolve) => {
          give = resolve;
        });
      },
      release: async (key) => void released.push(key),
      offer: async (key) => {
        offered.push(key);
        return false;
      },
      ...over,
    },
  });
  bench.lines.add();
  const given = async (): Promise<void> => {
    give();
    await bench.settle();
  };
  return { bench, taken, released, offered, given };
}

/** A node that is there, and was given to this replica. */
export async function attached(world: ReturnType<typeof sharedBench>) {
  const node = await world.bench.attach();
  await world.given();
  return node;
}
