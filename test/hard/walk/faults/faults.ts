import type { Fault } from './fault.js';
import { LINK_FAULTS } from './link-faults.js';
import { MANAGER_FAULTS } from './manager-faults.js';
import { PROCESS_FAULTS } from './process-faults.js';

/** Everything that can go wrong here. */
export const FAULTS: readonly Fault[] = [...LINK_FAULTS, ...MANAGER_FAULTS, ...PROCESS_FAULTS];
