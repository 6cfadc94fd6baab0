import { formatHostPort, type ListenAddress } from '../config/addresses.js';
import { systemClock } from '../rpc/clock.js';
import { type Fleet, startFleet } from '../simulator/fleet/fleet.js';
import { Life } from '../simulator/fleet/life.js';
import { seedFromRecordings } from '../simulator/manager/recorded-rows.js';
import { type SimulatedManager, startSimulatedManager } from '../simulator/manager/simulated-manager.js';
import { become } from './demo/become.js';
import { COMING_UP, type Phase, SCRIPT, TIME_FACTOR } from './demo/script.js';

export interface SimulateOptions {
  /** Where the manager serves. */
  readonly listen: ListenAddress;
  /** Whom the fleet calls; undefined: there is no fleet. */
  readonly fleetAt: ListenAddress | undefined;
  readonly daemons: number;
  readonly goDaemons: number;
  readonly schedulers: number;
  readonly seedPeers: number;
  /** Whether the incident of the demo is played, again and again. */
  readonly incident: boolean;
  /** 1 is real time. */
  readonly timeFactor: number;
  readonly seed: number;
  readonly process: Pick<NodeJS.Process, 'on' | 'off'>;
  readonly say: (line: string) => void;
}

/** `manager-gateway simulate`: a manager and a fleet to look at a gateway with, until SIGTERM or SIGINT. */
export async function runSimulation(options: SimulateOptions): Promise<void> {
  const { listen, timeFactor, seed, say } = options;
  const life = new Life(systemClock);
  const onStop = (): void => life.end();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) options.process.on(signal, onStop);
  const manager = await startSimulatedManager({
    host: listen.host === '' ? '::' : listen.host,
    port: listen.port,
    // Without nodes: those of the fleet register themselves.
    record: seedFromRecordings({ nodes: false }),
    timeFactor,
    seed,
  });
  say(`the manager listens on ${manager.address}`);
  const fleet = fleetOf(options);
  try {
    if (options.incident) await playOnAndOn(options, manager, fleet, life);
    else await new Promise<void>((resolve) => life.own(resolve));
  } finally {
    await fleet?.stop();
    await manager.stop();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) options.process.off(signal, onStop);
  }
}

function fleetOf(options: SimulateOptions): Fleet | undefined {
  const { fleetAt, daemons, goDaemons, schedulers, seedPeers, timeFactor, seed, say } = options;
  if (fleetAt === undefined) return undefined;
  const managerAddress = formatHostPort(fleetAt);
  const nodes = daemons + goDaemons + schedulers + seedPeers;
  say(`a fleet of ${nodes} calls ${managerAddress}`);
  return startFleet({
    managerAddress,
    daemons,
    goDaemons,
    schedulers,
    seedPeers,
    timeFactor,
    seed,
    ...COMING_UP,
  });
}

/** The fleet comes up once, and nobody joins or is rolled out twice: what is remembered of it would grow for ever. */
async function playOnAndOn(
  { timeFactor, say }: SimulateOptions,
  manager: SimulatedManager,
  fleet: Fleet | undefined,
  life: Life,
): Promise<void> {
  for (let time = 0; ; time++) {
    const phases = time === 0 ? SCRIPT : SCRIPT.slice(1);
    for (const phase of phases) {
      if (life.ended) return;
      say(`${phase.name}: ${phase.what}`);
      await become(manager, atPace(phase.manager, timeFactor));
      if (time === 0 && phase.rollOut !== undefined) void fleet?.rollOut(phase.rollOut);
      if (time === 0 && phase.join !== undefined) fleet?.join(phase.join);
      if (!(await life.sleep(phase.lastsMs / timeFactor))) return;
    }
  }
}

/** Faults of the script have their delays in the real time of a demo that runs ten times as fast. */
function atPace(state: Phase['manager'], timeFactor: number): Phase['manager'] {
  if (state.kind === 'down') return state;
  const faults = state.faults.map((fault) =>
    fault.kind === 'slow' ? { ...fault, delayMs: (fault.delayMs * TIME_FACTOR) / timeFactor } : fault,
  );
  return { kind: 'up', faults };
}
