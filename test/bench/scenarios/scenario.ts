import type { Measured } from '../results.js';
import type { World } from '../world.js';

/** One thing that is measured of each target, again and again, in a new world each time. */
export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  /** The names of targets it makes sense for. */
  readonly targets: readonly string[];
  /** For one repetition; some take minutes, and are the same each time. */
  readonly repetitions: number;
  readonly settings?: readonly string[];
  /** By row: a scenario may measure several. */
  measure(world: World): Promise<Readonly<Record<string, Measured>>>;
}
