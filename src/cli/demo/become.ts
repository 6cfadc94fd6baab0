import type { SimulatedManager } from '../../simulator/manager/simulated-manager.js';
import type { Phase } from './script.js';

/** What a phase of the script makes of a manager: these faults and no others, or its end. */
export async function become(manager: SimulatedManager, state: Phase['manager']): Promise<void> {
  manager.clearFaults();
  if (state.kind === 'down') {
    if (manager.running) await manager.stop();
    return;
  }
  for (const fault of state.faults) manager.setFault(fault);
  if (!manager.running) await manager.restart();
}
