import type { NodeName, StateChange } from '../../src/simulator/manager/manager-record.js';
import { seedFromRecordings } from '../../src/simulator/manager/recorded-rows.js';
import {
  type SimulatedManager,
  type SimulatedManagerOptions,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { startManagerProcess } from './manager-process.js';

/** A simulated manager and its record of states. */
export interface ShieldManager {
  readonly address: string;
  /** What was written to the state of each of these nodes, on this process's monotonic clock (`performance.now`). */
  histories(nodes: readonly NodeName[]): Promise<readonly (readonly StateChange[])[]>;
  /** The row goes without a word to anybody, as when an operator deletes it in the console. */
  deleteRow(node: NodeName): Promise<void>;
  /** KeepAlive streams opened so far. */
  streamsOpened(): Promise<number>;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export interface ShieldManagerOptions {
  readonly timeFactor: number;
  readonly seed?: number;
  readonly connectionAgeMs?: number;
  readonly sweepIntervalMs?: number;
}

/** In this process: it can be killed as well, as its record outlives it. */
export interface LocalShieldManager extends ShieldManager {
  readonly simulated: SimulatedManager;
}

/** Late "inactive"s, caches and the sweep are those of v2.5.1, sped up by the time factor. */
export async function startLocalManager(
  options: ShieldManagerOptions & Pick<SimulatedManagerOptions, 'lateInactive' | 'version'>,
): Promise<LocalShieldManager> {
  const { version = 'v2.5.1' } = options;
  const record = seedFromRecordings({ nodes: false, version });
  const simulated = await startSimulatedManager({ ...options, record });
  return {
    simulated,
    address: simulated.address,
    histories: async (nodes) => nodes.map((node) => [...record.stateHistory(node)]),
    deleteRow: async (node) => void record.deleteNode(node),
    streamsOpened: async () => keepAliveCalls(simulated.stats.callsByMethod),
    freeze: () => simulated.setFault({ kind: 'frozen' }),
    thaw: () => simulated.clearFault('frozen'),
    stop: () => simulated.stop(),
  };
}

/** In a process of its own: frozen, it is frozen as a whole. Needs `npm run build`. */
export async function startRemoteManager(options: ShieldManagerOptions): Promise<ShieldManager> {
  const { timeFactor, seed, connectionAgeMs, sweepIntervalMs } = options;
  const manager = await startManagerProcess([
    ...['--recorded-nodes', 'false', '--time-factor', String(timeFactor)],
    ...(seed === undefined ? [] : ['--seed', String(seed)]),
    ...(connectionAgeMs === undefined ? [] : ['--connection-age-ms', String(connectionAgeMs)]),
    ...(sweepIntervalMs === undefined ? [] : ['--sweep-interval-ms', String(sweepIntervalMs)]),
  ]);
  return {
    address: manager.address,
    async histories(nodes) {
      const told = await manager.tell({ command: 'histories', nodes });
      const { machineOffsetMs, histories } = told as { machineOffsetMs: number; histories: StateChange[][] };
      const offsetMs = machineOffsetMs - machineOffsetHereMs();
      return histories.map((history) => history.map((one) => ({ ...one, atMs: one.atMs + offsetMs })));
    },
    deleteRow: async (node) => void (await manager.tell({ command: 'delete', node })),
    async streamsOpened() {
      const { stats } = await manager.tell({ command: 'stats' });
      return keepAliveCalls((stats as { callsByMethod: Record<string, number> }).callsByMethod);
    },
    freeze: manager.freeze,
    thaw: manager.thaw,
    async stop() {
      manager.thaw();
      await manager.kill();
    },
  };
}

/** The machine's monotonic clock is one for all processes; `performance.now` begins with each of them. */
function machineOffsetHereMs(): number {
  return Number(process.hrtime.bigint()) / 1e6 - performance.now();
}

function keepAliveCalls(callsByMethod: Readonly<Record<string, number>>): number {
  const isKeepAlive = ([path]: [string, number]): boolean => path.endsWith('/KeepAlive');
  return Object.entries(callsByMethod)
    .filter(isKeepAlive)
    .reduce((sum, [, count]) => sum + count, 0);
}
