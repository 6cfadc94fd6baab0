import type { FaultKind } from '../../simulator/manager/fault.js';
import { seedFromRecordings } from '../../simulator/manager/recorded-rows.js';
import { type SimulatedManager, startSimulatedManager } from '../../simulator/manager/simulated-manager.js';
import { become } from './become.js';
import type { ManagerFigures } from './figures.js';
import { inactivityOf } from './inactivity.js';
import type { ManagerCommand, ManagerNotice } from './manager-message.js';
import { type Phase, TIME_FACTOR } from './script.js';

/** A peak between two samples is missed if it is shorter than this. */
const SAMPLE_INTERVAL_MS = 20;

/** After it told its connections to go, until their streams have been cut: each is there beside its successor. */
const REPLACING_MS = 500;

/** The process of one simulated manager, driven over IPC; it ends when its parent does. */
async function host(seed: number): Promise<void> {
  // Without nodes: those of the fleet register themselves.
  const record = seedFromRecordings({ nodes: false });
  const manager = await startSimulatedManager({ record, seed, timeFactor: TIME_FACTOR });
  let connectionsPeak = 0;
  let frozen = false;
  let replacingUntilMs = 0;
  const sample = (): void => {
    // A frozen process does not see who has left: what it counts then says nothing about its callers.
    if (!frozen && record.clock.nowMs() >= replacingUntilMs)
      connectionsPeak = Math.max(connectionsPeak, manager.stats.connectionsOpen);
  };
  setInterval(sample, SAMPLE_INTERVAL_MS);
  // Commands are obeyed one after the other: a restart waits for the stop before it.
  let turn = Promise.resolve();
  process.on('message', (command: ManagerCommand) => {
    turn = turn.then(async () => {
      try {
        if (command.kind === 'become') {
          const willFreeze = has(command.state, 'frozen');
          if (has(command.state, 'connection-age')) replacingUntilMs = record.clock.nowMs() + REPLACING_MS;
          frozen ||= willFreeze;
          await become(manager, command.state);
          frozen = willFreeze;
        }
        notify({ kind: 'reported', id: command.id, figures: figuresOf(manager, connectionsPeak) });
      } catch (error) {
        notify({ kind: 'failed', id: command.id, message: String(error) });
      }
    });
  });
  notify({ kind: 'listening', address: manager.address });
}

function has(state: Phase['manager'], fault: FaultKind): boolean {
  return state.kind === 'up' && state.faults.some(({ kind }) => kind === fault);
}

function figuresOf(manager: SimulatedManager, connectionsPeak: number): ManagerFigures {
  const { record, stats } = manager;
  const nowMs = record.clock.nowMs();
  const nodes = [
    ...record.schedulers.map((row) => ({ kind: 'scheduler' as const, row })),
    ...record.seedPeers.map((row) => ({ kind: 'seed-peer' as const, row })),
  ];
  const inactivity = nodes.map(({ kind, row: { hostname, clusterId, ip } }) =>
    inactivityOf(record.stateHistory({ kind, hostname, clusterId, ip }), nowMs),
  );
  return {
    connectionsOpen: stats.connectionsOpen,
    connectionsPeak,
    connectionsTotal: stats.connectionsTotal,
    calls: stats.callsTotal,
    callsByMethod: stats.callsByMethod,
    nodes: nodes.length,
    nodesActive: record.countActive('scheduler') + record.countActive('seed-peer'),
    inactiveMs: inactivity.reduce((sum, { totalMs }) => sum + totalMs, 0),
    longestInactiveMs: inactivity.reduce((longest, { longestMs }) => Math.max(longest, longestMs), 0),
  };
}

function notify(notice: ManagerNotice): void {
  if (process.connected) process.send?.(notice);
}

process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group; the parent still wants a last report.
process.on('SIGINT', () => {});
host(Number(process.argv[2] ?? 1)).catch((error: unknown) => {
  notify({ kind: 'failed', id: undefined, message: String(error) });
  process.exitCode = 1;
  process.disconnect?.();
});
