import type { Random } from '../../../../src/simulator/fleet/random.js';
import type { NodeName } from '../../../../src/simulator/manager/manager-record.js';
import type { Stage } from '../stage/stage.js';

/** What a fault may touch. */
export interface Scene extends Stage {
  /** Nodes that are alive, to delete rows of. */
  livingNodes(): readonly NodeName[];
  /** Whom it was, for who reads along. */
  struck(whom: readonly string[]): void;
  /** Their rows were deleted behind everybody's back. */
  rowDeleted(node: NodeName): void;
}

/** Something that goes wrong. `begin` resolves with what ends it, and that when it is over. */
export interface Fault {
  readonly name: string;
  /** Longer would be another fault; ms. */
  readonly longestMs?: number;
  /** What nodes say meanwhile may be written down by nobody: the database refuses it, or the manager is gone. */
  readonly losesWrites?: boolean;
  begin(scene: Scene, random: Random): Promise<() => Promise<void>>;
}

export function oneOf<T>(of: readonly T[], random: Random): T {
  const one = of[Math.floor(random() * of.length)];
  if (one === undefined) throw new Error('there is none');
  return one;
}

/** All of them, or one: a fault of one link is survived in another way than one of all. */
export function someOf<T>(of: readonly T[], random: Random): readonly T[] {
  return random() < 0.3 ? of : [oneOf(of, random)];
}
