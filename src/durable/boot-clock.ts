import { readFileSync } from 'node:fs';

/** A moment on the clock of the machine, which nobody sets, and the boot it counts from. */
export interface BootMoment {
  readonly bootId: string;
  readonly sinceBootMs: number;
}

export type BootClock = () => BootMoment | undefined;

/** Linux: CLOCK_MONOTONIC, which Node's hrtime is, goes on from process to process. Elsewhere undefined. */
export const systemBootClock: BootClock = () => {
  try {
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { bootId, sinceBootMs: Number(process.hrtime.bigint()) / 1e6 };
  } catch {
    // Not Linux, or /proc is hidden: then there is only the wall clock.
    return undefined;
  }
};
