import type { Emit, ErrorClass, ReopenReason } from '../observe/events.js';
import type { Clock } from '../rpc/clock.js';
import type { Status } from '../rpc/status.js';
import type { Line } from '../upstream/line.js';
import type { Upstream } from '../upstream/upstream.js';
import type { Claims } from './claims.js';
import type { NodeId, NodeRecord } from './node.js';
import type { OpeningPace } from './opening-pace.js';

/** What became of making up for a registration. `unknown`: none is known; `later`: not now. */
export type ReplayResult = 'applied' | 'there-already' | 'unknown' | 'refused' | 'later';

/** Why a stream is opened; `first`: the node has come. */
export type OpenReason = ReopenReason | 'first';

/** A node whose stream is held here, for those who compare it with what the manager says. */
export interface HeldNode {
  /** See `nodeKeyOf`. */
  readonly key: string;
  readonly record: NodeRecord;
  readonly alive: boolean;
  /** The connection that its stream is on; undefined: none is open just now. */
  readonly line: Line | undefined;
  readonly openedAtMs: number | undefined;
  /** Ends the stream and opens another, politely and when it can be done. Without a stream that is open: nothing. */
  replace(reason: 'inactive' | 'registered'): void;
}

/** Compares what is held with what the manager says. */
export interface Reconcile {
  /** The node's stream was opened, for the first time or again. */
  opened(node: HeldNode): void;
  /** It is not held here any more. */
  closed(node: HeldNode): void;
  stop(): void;
}

/** What every node's session works with. */
export interface SessionContext {
  readonly upstream: Pick<Upstream, 'line' | 'watchLines' | 'describeTrouble'>;
  readonly claims: Pick<Claims, 'take' | 'release' | 'holderOf'>;
  readonly pace: OpeningPace;
  readonly reconcile: Reconcile;
  /** undefined: the status is a fact. */
  readonly classify: (status: Status) => ErrorClass | undefined;
  /** Makes the manager know the node again, if its registration is known here. Never rejects. */
  readonly replayNode: (node: NodeId) => Promise<ReplayResult>;
  readonly graceMs: number;
  /** How long a manager may take over the end of a stream before the next one is opened all the same. */
  readonly statusTimeoutMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}
