import { cpuSecondsOf, memoryBytesOf } from '../footprint.js';
import { eventLoopP99Ms } from '../gateway-metrics.js';
import { begin, call } from '../generators/caller.js';
import { sleep } from '../world.js';
import type { Scenario } from './scenario.js';

const NODES = 1_000;
const WATCH_MS = 30_000;
const SETTLE_MS = 3_000;

/** Nodes with a KeepAlive stream each, over a connection of its own, and a beat each 5 s. Both sides of the gateway are in it. */
export function nodes(targets: readonly string[], repetitions: number): Scenario {
  return {
    ...{ name: `nodes-${NODES}`, targets, repetitions },
    async measure({ running, cores, counted }) {
      const { pid } = running.process;
      const address = `127.0.0.1:${running.port}`;
      await call(['churn', '-addr', address, '-seconds', '2'], cores.generator);
      await sleep(SETTLE_MS);
      const bytesBefore = memoryBytesOf(pid);
      const beating = await begin(['nodes', '-addr', address, '-nodes', `${NODES}`], cores.generator);
      if (beating.begun.open !== NODES) throw new Error(`${beating.begun.open} of ${NODES} streams are open`);
      await sleep(SETTLE_MS);
      const cpuBefore = cpuSecondsOf(pid);
      await sleep(WATCH_MS);
      const cpuShare = ((cpuSecondsOf(pid) - cpuBefore) / WATCH_MS) * 1_000;
      const kbPerNode = (memoryBytesOf(pid) - bytesBefore) / NODES / 1_024;
      const delay = running.metricsPort === undefined ? undefined : await eventLoopP99Ms(running.metricsPort);
      const { open } = await counted();
      const { ended = 0, beats = 0 } = await beating.dismiss();
      return {
        [`nodes-${NODES}`]: {
          ...{ kbPerNode, cpuShare, ended, beats, connectionsAtManager: open },
          ...(delay === undefined ? {} : { eventLoopP99Ms: delay }),
        },
      };
    },
  };
}
