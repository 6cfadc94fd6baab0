import type { Fault } from './fault.js';
import { LINK_FAULTS } from './link-faults.js';
import { MANAGER_FAULTS } from './manager-faults.js';
import { PROCESS_FAULTS } from './process-faults.js';

/** Everything that can go wrong here; with ONLY=… what has a name like that. */
export const FAULTS: readonly Fault[] = [...LINK_FAULTS, ...MANAGER_FAULTS, ...PROCESS_FAULTS].filter(
  ({ name }) => new RegExp(process.env.ONLY ?? '').test(name),
);
