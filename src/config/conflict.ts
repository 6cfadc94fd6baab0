import type { Path } from './path.js';

/** Values that are each in order and cannot stand together, or not in this world (a file that is not there). */
export type Conflict = {
  /** The keys concerned; the first is told, unless it is a default and another is not. */
  readonly paths: readonly [Path, ...Path[]];
  readonly found: string;
  readonly allowed: string;
};
