import { cpuSecondsOf } from '../footprint.js';
import { ghz } from '../generators/ghz.js';
import { h2load, type Load, type Shape } from '../generators/h2load.js';
import type { Measured } from '../results.js';
import type { World } from '../world.js';
import type { Scenario } from './scenario.js';

const SHAPES: readonly Shape[] = [
  { name: '10x10', connections: 10, streams: 10 },
  { name: '200x1', connections: 200, streams: 1 },
];
const WARM_UP_SECONDS = 2;

/**
 * `hit`: a read whose answer the gateway has; for everybody else it is a call like any other. `pass`: the same call with a
 * header that sends it on to the manager. As many as the target takes by h2load, then 3,000 a second by ghz for the latency.
 */
export function calls(options: {
  readonly kind: 'hit' | 'pass';
  readonly targets: readonly string[];
  readonly repetitions: number;
  readonly seconds: number;
}): Scenario {
  const { kind, seconds } = options;
  return {
    ...{ name: kind, targets: options.targets, repetitions: options.repetitions },
    async measure(world) {
      const rows: Record<string, Measured> = {};
      for (const shape of SHAPES) {
        const { messages, cores } = world;
        const passing = kind === 'pass';
        const load: Load = {
          ...{ port: world.running.port, shape, seconds, messages, passing },
          cores: cores.generator,
        };
        await h2load({ ...load, seconds: WARM_UP_SECONDS });
        rows[`${kind}-${shape.name}`] = { ...(await capacity(world, load)), ...(await latency(load)) };
      }
      return rows;
    },
  };
}

async function capacity(world: World, load: Load): Promise<Measured> {
  const { pid } = world.running.process;
  const before = cpuSecondsOf(pid);
  const offered = await h2load(load);
  const cpuSeconds = cpuSecondsOf(pid) - before;
  return {
    callsPerSecond: offered.callsPerSecond,
    cpuSecondsPer10k: (cpuSeconds / offered.calls) * 10_000,
  };
}

async function latency(load: Load): Promise<Measured> {
  const { p50Ms, p99Ms, callsPerSecond } = await ghz(load);
  return { p50Ms, p99Ms, offeredPerSecond: callsPerSecond };
}
