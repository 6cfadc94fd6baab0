import { memoryBytesOf } from '../footprint.js';
import { metric } from '../gateway-metrics.js';
import { listenTo } from '../generators/caller.js';
import { stop } from '../processes.js';
import { median } from '../statistics.js';
import type { Scenario } from './scenario.js';

interface Said {
  readonly calls: number;
  readonly failures: number;
  readonly daemons: number;
  readonly over?: boolean;
}

/**
 * A day of traffic in minutes: at 2,000 calls a second what 500 daemons ask in a day takes 6 minutes; each lives for 200 calls
 * and comes back as another. Memory is that of the middle of the run beside that of its end.
 */
export function day(targets: readonly string[], seconds: number, repetitions: number): Scenario {
  return {
    ...{ name: 'day', targets, repetitions },
    async measure({ running, cores }) {
      const samples: number[] = [];
      const args = ['day', '-addr', `127.0.0.1:${running.port}`, '-rate', '2000', '-seconds', `${seconds}`];
      const caller = listenTo(args, cores.generator);
      let last: Said = { calls: 0, failures: 0, daemons: 0 };
      for await (const line of caller.lines) {
        last = JSON.parse(line) as Said;
        samples.push(memoryBytesOf(running.process.pid) / 2 ** 20);
      }
      await stop(caller);
      const quarter = Math.floor(samples.length / 4);
      const entries =
        running.metricsPort === undefined
          ? undefined
          : await metric(running.metricsPort, 'dragonfly_manager_gateway_cache_entries');
      return {
        day: {
          ...{ calls: last.calls, failures: last.failures, daemons: last.daemons },
          megabytesInTheMiddle: median(samples.slice(quarter, 2 * quarter)),
          megabytesAtTheEnd: median(samples.slice(-quarter)),
          ...(entries === undefined ? {} : { entries }),
        },
      };
    },
  };
}
