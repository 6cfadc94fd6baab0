import { cpus, release, totalmem } from 'node:os';
import { type Cores, describe } from './cores.js';
import type { Machine } from './results.js';

/** What a reader has to know of the machine; nothing that names it. */
export function describeMachine(cores: Cores): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${/^\d+\.\d+/.exec(release())?.[0] ?? ''}`,
    pinning: describe(cores),
  };
}
