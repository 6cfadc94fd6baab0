import type { NodeRecord } from './node.js';

/**
 * `leaving`: the node knows that it has to come elsewhere. `silent`: its replica is dead, or frozen with the node's connection open; then the
 * node knows of nothing, and comes only when that replica wakes.
 */
export type OrphanReason = 'leaving' | 'silent';

/** What the other replicas ask of this one. `key` as `nodeKeyOf` makes it. */
export interface ClaimsListener {
  /**
   * Another replica takes the node: end its stream at the manager, wait for the status (bounded), then resolve. May come while
   * `take` is under way, when another replica was asked to take it later: then it is not to be opened, though `take` resolves.
   */
  yield(key: string): Promise<void>;
  /** A late replica has ended an old stream of this node after ours was opened: replace ours. */
  reassert(key: string): void;
  /** Its holder is leaving, or says nothing any more: open its stream here, and give the node time to come. */
  orphaned(record: NodeRecord, because: OrphanReason): void;
  /** Nobody holds it any more. */
  freed(key: string): void;
}

/** Nodes that this replica has to do with, for the metrics. */
export interface ClaimCounts {
  readonly held: number;
  /** Held, and Redis does not know: it is away, or full. */
  readonly unshared: number;
  /** Being taken, or given to another replica. */
  readonly moving: number;
  readonly elsewhere: number;
}

/** Which replica holds a node's stream at the manager. */
export interface Claims {
  /** This replica's name, for people and for `recover`; "" where there is only one. */
  readonly replica: string;
  start(listener: ClaimsListener): void;
  /**
   * Makes this replica the holder. Resolves when the one before has ended its stream, or was not heard of in time, or Redis is
   * away (then every replica is on its own, and reconciling mends what they do to each other). Never rejects.
   */
  take(record: NodeRecord): Promise<void>;
  /** Do we hold it, as far as we know? */
  holds(key: string): boolean;
  /** Who holds it, for people: a replica's name, "" for nobody, undefined for nobody knows. */
  holderOf(key: string): string | undefined;
  /** Is it held by another replica, by what was last heard? */
  heldElsewhere(key: string): boolean;
  /**
   * Of nodes that this gateway held before it was started anew, under the name `former`: those that nobody else has taken since.
   * They are held by this replica then. Never rejects.
   */
  recover(records: readonly NodeRecord[], former: string): Promise<readonly NodeRecord[]>;
  /** Our stream has ended for good. Never rejects. */
  release(key: string): Promise<void>;
  /** This replica is leaving: it takes over nothing more that is not here. */
  leave(): void;
  /**
   * The node is leaving this replica for whoever wants it; resolves true once another has taken it (and `yield` is done), false when
   * nobody is there to take it, or has not by `deadlineMs` on the monotonic clock.
   */
  offer(key: string, deadlineMs: number): Promise<boolean>;
  counts(): ClaimCounts;
  /** What is held still is nobody's from then on. */
  stop(): Promise<void>;
}

/** A gateway without Redis: whatever it holds is its own. */
export const ALONE: Claims = {
  replica: '',
  start: () => undefined,
  take: () => Promise.resolve(),
  holds: () => true,
  holderOf: () => undefined,
  heldElsewhere: () => false,
  recover: (records) => Promise.resolve(records),
  release: () => Promise.resolve(),
  leave: () => undefined,
  offer: () => Promise.resolve(false),
  counts: () => ({ held: 0, unshared: 0, moving: 0, elsewhere: 0 }),
  stop: () => Promise.resolve(),
};
