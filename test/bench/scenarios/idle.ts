import { cpuSecondsOf, memoryBytesOf } from '../footprint.js';
import { begin, call } from '../generators/caller.js';
import { sleep } from '../world.js';
import type { Scenario } from './scenario.js';

/** So long a process is left alone before its memory is looked at. */
const SETTLE_MS = 3_000;
const WARM_UP_SECONDS = 2;

/** Connections that are held, each of another daemon, and make a call when they open, and one each 60 s. */
export function idle(options: {
  readonly connections: number;
  readonly targets: readonly string[];
  readonly repetitions: number;
  /** How long they are watched. */
  readonly watchSeconds: number;
}): Scenario {
  const { connections } = options;
  return {
    name: `idle-${connections}`,
    targets: options.targets,
    repetitions: options.repetitions,
    async measure({ running, cores, counted }) {
      const { pid } = running.process;
      const address = `127.0.0.1:${running.port}`;
      // What a process takes for having worked at all is not the connections'.
      await call(['churn', '-addr', address, '-seconds', `${WARM_UP_SECONDS}`], cores.generator);
      await sleep(SETTLE_MS);
      const bytesBefore = memoryBytesOf(pid);
      const holding = await begin(
        ['hold', '-addr', address, '-connections', `${connections}`, '-poll', '60'],
        cores.generator,
      );
      if (holding.begun.failures !== 0) throw new Error(`${holding.begun.failures} connections failed`);
      await sleep(SETTLE_MS);
      const kbPerConnection = (memoryBytesOf(pid) - bytesBefore) / connections / 1_024;
      const cpuBefore = cpuSecondsOf(pid);
      await sleep(options.watchSeconds * 1_000);
      const cpuShare = (cpuSecondsOf(pid) - cpuBefore) / Math.max(options.watchSeconds, 1);
      const { open } = await counted();
      const { p99Ms = 0 } = await holding.dismiss();
      const watched = options.watchSeconds > 0 ? { cpuShare, p99Ms } : {};
      return { [`idle-${connections}`]: { kbPerConnection, connectionsAtManager: open, ...watched } };
    },
  };
}
