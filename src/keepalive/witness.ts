import type { NodeRecord } from './node.js';

/**
 * What a manager says of a node. `unknown`: it could not be asked, or its answer speaks of another row (the manager does not look
 * at the ip, so a pod that came back with a new address may be shown its old row for ever).
 */
export type Sighting =
  | { readonly kind: 'active'; readonly by: WitnessedBy }
  | { readonly kind: 'inactive'; readonly by: WitnessedBy }
  /** "record not found", which the manager may say, or fail to say, from a cache for minutes. */
  | { readonly kind: 'gone'; readonly by: WitnessedBy }
  | { readonly kind: 'unknown'; readonly detail: string };

/**
 * `row`: GetScheduler, GetSeedPeer. What KeepAlive streams of the asked process write is in it at once.
 * `list`: a list out of the manager's cache, which may be older than the stream.
 */
export type WitnessedBy = 'row' | 'list';

/** `usual`: the manager may answer from its cache; `past-caches`: asked so that it cannot, which costs it a query and an entry there. */
export type LookDepth = 'usual' | 'past-caches';

/** Something to ask over: one connection. See upstream's `Line`. */
export interface Witness<Line> {
  /** Past every cache of the gateway, over the connection that the node's stream is on. Never rejects. */
  look(record: NodeRecord, line: Line, depth: LookDepth): Promise<Sighting>;
}
