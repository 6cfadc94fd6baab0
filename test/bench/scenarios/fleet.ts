import { cpuSecondsOf, memoryBytesOf } from '../footprint.js';
import { begin, call } from '../generators/caller.js';
import { sleep } from '../world.js';
import type { Scenario } from './scenario.js';

/** A poll each 15 s instead of each 60: four minutes in one. */
const POLL_SECONDS = 15;
const WATCH_MS = 30_000;

/** 2,000 daemons in 10 s, as the Rust client starts: two connections, health once, the schedulers three times, no retry. */
export function storm(targets: readonly string[], repetitions: number): Scenario {
  return {
    ...{ name: 'storm-2000', targets, repetitions },
    async measure({ running, cores, counted }) {
      const before = cpuSecondsOf(running.process.pid);
      const args = ['storm', '-addr', `127.0.0.1:${running.port}`, '-daemons', '2000', '-seconds', '10'];
      const { run = 0, failures = 0, allAfterMs = 0, p99Ms = 0 } = await call(args, cores.generator);
      const cpuSeconds = cpuSecondsOf(running.process.pid) - before;
      const { accepted, calls } = await counted();
      return {
        'storm-2000': {
          ...{ run, failures, allAfterMs, p99Ms, cpuSeconds },
          ...{ connectionsAtManager: accepted, callsAtManager: calls },
        },
      };
    },
  };
}

/** Daemons of which each asks as itself; what reaches the manager of it. */
export function fleet(daemons: number, targets: readonly string[], repetitions: number): Scenario {
  const name = `fleet-${daemons}`;
  return {
    ...{ name, targets, repetitions },
    async measure({ running, cores, counted }) {
      const holding = await begin(
        [
          ...['hold', '-addr', `127.0.0.1:${running.port}`, '-connections', `${daemons}`],
          ...['-poll', `${POLL_SECONDS}`],
        ],
        cores.generator,
      );
      const before = await counted();
      const cpuBefore = cpuSecondsOf(running.process.pid);
      await sleep(WATCH_MS);
      const after = await counted();
      const cpuShare = ((cpuSecondsOf(running.process.pid) - cpuBefore) / WATCH_MS) * 1_000;
      const megabytes = memoryBytesOf(running.process.pid) / 2 ** 20;
      const { failures = 0, p99Ms = 0 } = await holding.dismiss();
      return {
        [name]: {
          callsPerSecondAtManager: ((after.calls - before.calls) / WATCH_MS) * 1_000,
          connectionsAtManager: after.open,
          ...{ cpuShare, megabytes, failures, p99Ms },
        },
      };
    },
  };
}
