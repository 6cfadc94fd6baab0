import type { Fault, FaultKind } from './fault.js';
import type { NodeName, StateCause } from './manager-record.js';
import type { NodeState } from './rows.js';
import type { SimulatedManager } from './simulated-manager.js';

/** One line on the process's stdin. `calls` gives the newest `limit` (default 100). */
export type ManagerCommand =
  | { readonly command: 'fault'; readonly fault: Fault }
  | { readonly command: 'clear'; readonly kind?: FaultKind }
  | { readonly command: 'stats' }
  | { readonly command: 'calls'; readonly limit?: number }
  | { readonly command: 'history'; readonly node: NodeName }
  | { readonly command: 'histories'; readonly nodes: readonly NodeName[] }
  | { readonly command: 'state'; readonly node: NodeName; readonly state: NodeState }
  | { readonly command: 'delete'; readonly node: NodeName }
  | { readonly command: 'rows' }
  | { readonly command: 'restart' };

/** Does it, and says what to print. Rejects on a command that it does not know. */
export async function runCommand(manager: SimulatedManager, command: ManagerCommand): Promise<unknown> {
  switch (command.command) {
    case 'fault':
      manager.setFault(command.fault);
      return { done: command.command };
    case 'clear':
      if (command.kind === undefined) manager.clearFaults();
      else manager.clearFault(command.kind);
      return { done: command.command };
    case 'stats':
      return { stats: manager.stats };
    case 'calls':
      return {
        calls: manager
          .calls()
          .slice(-(command.limit ?? 100))
          .map(printable),
      };
    case 'history':
      return { history: manager.record.stateHistory(command.node) };
    case 'histories':
      // The record's clock began with this process; the machine's is the asker's, too.
      return {
        machineOffsetMs: Number(process.hrtime.bigint()) / 1e6 - manager.record.clock.nowMs(),
        histories: command.nodes.map((node) => manager.record.stateHistory(node)),
      };
    case 'state':
      return { done: manager.record.setState(command.node, command.state, 'seeded' satisfies StateCause) };
    case 'delete':
      return { deleted: manager.record.deleteNode(command.node) };
    case 'rows':
      return { schedulers: manager.record.schedulers, seedPeers: manager.record.seedPeers };
    case 'restart':
      await manager.restart();
      return { done: command.command };
    default:
      throw new Error(`unknown command ${JSON.stringify(command satisfies never)}`);
  }
}

function printable(call: ReturnType<SimulatedManager['calls']>[number]): Record<string, unknown> {
  return { ...call, requestBytes: call.requestBytes.toString('base64') };
}
