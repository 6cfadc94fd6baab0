import type { Counters } from './counters.js';
import type { Identity } from './identity.js';
import type { LackMeter } from './lack-meter.js';
import type { Life } from './life.js';
import type { Pace } from './pace.js';
import type { Random } from './random.js';

/** What a simulated process runs in. */
export interface Surroundings {
  /** `host:port`: the only address that it ever connects to. */
  readonly managerAddress: string;
  readonly who: Identity;
  readonly pace: Pace;
  /** Where to count now. */
  readonly counters: () => Counters;
  /** Without schedulers (a daemon) or without its configuration (a scheduler). */
  readonly lack: LackMeter;
  readonly random: Random;
}

/** `long-running`: the process stands for one that was started some random time ago, so that not all poll at once. */
export type Age = 'fresh' | 'long-running';

/** `exited`: the process gave up by itself; `ended`: its life was ended from outside. */
export type Exit = 'exited' | 'ended';

/** One run of one process, start-up sequence first. Never rejects for what a manager does. */
export type Program = (around: Surroundings, life: Life, age: Age) => Promise<Exit>;
