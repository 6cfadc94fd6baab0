import { cpuSecondsOf } from '../footprint.js';
import { call } from '../generators/caller.js';
import type { Scenario } from './scenario.js';

const WARM_UP_SECONDS = 2;

/** Connect, Health/Check, ListSchedulers, close; a cycle counts as a call. */
export function churn(options: {
  readonly targets: readonly string[];
  readonly repetitions: number;
  readonly seconds: number;
}): Scenario {
  return {
    ...{ name: 'churn', targets: options.targets, repetitions: options.repetitions },
    async measure({ running, cores, counted }) {
      const cycles = (seconds: number) =>
        call(['churn', '-addr', `127.0.0.1:${running.port}`, '-seconds', `${seconds}`], cores.generator);
      await cycles(WARM_UP_SECONDS);
      const connectionsBefore = (await counted()).accepted;
      const before = cpuSecondsOf(running.process.pid);
      const said = await cycles(options.seconds);
      const cpuSeconds = cpuSecondsOf(running.process.pid) - before;
      const { cycles: done = 0, seconds = 0, failures = 0, p50Ms = 0, p99Ms = 0 } = said;
      if (failures > done / 1_000) throw new Error(`${failures} of ${done} cycles failed`);
      return {
        churn: {
          ...{ callsPerSecond: done / seconds, cpuSecondsPer10k: (cpuSeconds / done) * 10_000 },
          ...{ p50Ms, p99Ms, failures },
          newConnectionsAtManager: (await counted()).accepted - connectionsBefore,
        },
      };
    },
  };
}
