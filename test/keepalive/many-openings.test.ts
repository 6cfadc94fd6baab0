import { expect, it } from 'vitest';
import { Code } from '../../src/rpc/status.js';
import { ScriptedLines } from '../support/scripted-line.js';
import { type Attached, INTERVAL_MS, type ShieldBench, shieldBench } from '../support/shield-bench.js';

const NODES = 5_000;
const REFUSED = { code: Code.RESOURCE_EXHAUSTED, message: 'rejected by grpc_ratelimit middleware' };

/** A manager that lets through so many openings a second, and tells the others to go away. */
function limited(perSecond: number) {
  const lines = new ScriptedLines();
  const bench = shieldBench({ lines, mostNodes: NODES });
  let [allowance, atMs] = [perSecond, bench.clock.nowMs()];
  const refusals: number[] = [];
  const connect = (): ReturnType<ScriptedLines['add']> => {
    const line = lines.add();
    const open = line.open.bind(line);
    line.open = (path, metadata, listener) => {
      const call = open(path, metadata, listener);
      const nowMs = bench.clock.nowMs();
      allowance = Math.min(perSecond, allowance + ((nowMs - atMs) * perSecond) / 1_000);
      atMs = nowMs;
      if (allowance >= 1) allowance--;
      else {
        refusals.push(nowMs);
        lines.streams.at(-1)?.end(REFUSED);
      }
      return call;
    };
    return line;
  };
  return { bench, line: connect(), connect, refusals };
}

async function attachAll(bench: ShieldBench): Promise<Attached[]> {
  const nodes = Array.from({ length: NODES }, (_, n) => {
    const node = bench.open();
    node.beat({ hostname: `node-${n}` });
    return node;
  });
  await bench.settle();
  return nodes;
}

/** How long it takes until all are open, s. */
async function untilAllOpen(bench: ShieldBench, nodes: readonly Attached[]): Promise<number> {
  const fromMs = bench.clock.nowMs();
  while (bench.live().length < NODES && bench.clock.nowMs() - fromMs < 120_000) {
    await bench.pass(1_000);
    const beats = (bench.clock.nowMs() - fromMs) % INTERVAL_MS === 0;
    if (beats) for (const [n, node] of nodes.entries()) node.beat({ hostname: `node-${n}` });
  }
  return (bench.clock.nowMs() - fromMs) / 1_000;
}

it('five thousand nodes that come at once are open within 3 s at a manager that takes 4,000 openings a second', async () => {
  const { bench, refusals } = limited(4_000);
  const nodes = await attachAll(bench);
  expect([bench.live().length, refusals.length]).toEqual([4_000, 1_000]);
  expect(await untilAllOpen(bench, nodes)).toBeLessThanOrEqual(3);
  // Those that were sent away were not sent away again.
  expect(refusals.length).toBe(1_000);
  expect(bench.of('openings-lowered')).toHaveLength(1);
}, 60_000);

it('five thousand nodes whose connection was lost are open again within 6 s, and none is sent away', async () => {
  const { bench, line, connect, refusals } = limited(4_000);
  const nodes = await attachAll(bench);
  await untilAllOpen(bench, nodes);
  refusals.length = 0;
  line.lose();
  connect();
  expect(await untilAllOpen(bench, nodes)).toBeLessThanOrEqual(6);
  expect(refusals).toEqual([]);
  expect(nodes.every(({ call }) => call.ended === undefined)).toBe(true);
}, 60_000);

it('a manager that takes 300 openings a second is found out about, and asked for hardly more', async () => {
  const { bench, refusals } = limited(300);
  const nodes = await attachAll(bench);
  const first = refusals.length;
  expect(first).toBe(NODES - 300);
  expect(await untilAllOpen(bench, nodes)).toBeLessThanOrEqual(1.2 * (NODES / 300));
  expect(refusals.length - first).toBeLessThan(0.1 * NODES);
}, 60_000);
