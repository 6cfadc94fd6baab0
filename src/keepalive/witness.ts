import type { NodeRecord } from './node.js';

/**
 * What a manager says of a node. `unknown`: it could not be asked, or its answer speaks of another row (the manager does not look
 * at the ip, so a pod that came back with a new address may be shown its old row for ever).
 */
export type Sighting =
  | { readonly kind: 'active' }
  | { readonly kind: 'inactive' }
  /** "record not found", which the manager may say, or fail to say, from a cache for minutes. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown'; readonly detail: string };

/** Something to ask over: one connection. See upstream's `Line`. */
export interface Witness<Line> {
  /** Past every cache of the gateway, over the connection that the node's stream is on. Never rejects. */
  look(record: NodeRecord, line: Line): Promise<Sighting>;
}
