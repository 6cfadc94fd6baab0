import type { ReopenReason } from '../observe/events.js';
import type { NodeId } from './node.js';

/**
 * Where a node's stream at the manager stands. `waiting`: for a good connection, for its turn, or for another replica to let go;
 * `replacing`: the old stream is being ended, the next one comes behind it; `ending`: nobody is left below; `dormant`: let go, because the
 * node is silent; `elsewhere`: another replica holds it.
 */
export type NodeState = 'waiting' | 'open' | 'replacing' | 'ending' | 'dormant' | 'elsewhere';

/** One node, for people and for gauges. Times on the monotonic clock, ms. */
export interface NodeView {
  /** See `nodeKeyOf`. */
  readonly key: string;
  readonly node: NodeId;
  readonly state: NodeState;
  /** A stream below lives and is not silent, or its connection was lost less than `keepAlive.grace` ago. */
  readonly alive: boolean;
  /** Streams of the node at this gateway; 0 while it has its grace. */
  readonly streamsBelow: number;
  /** undefined: none was seen here (a node taken over). */
  readonly lastBeatAtMs: number | undefined;
  /** Its own interval between two beats, ms; undefined: not known yet. */
  readonly intervalMs: number | undefined;
  /** Of the stream at the manager; undefined: none is open. */
  readonly upstream:
    | { readonly manager: string; readonly address: string; readonly openedAtMs: number }
    | undefined;
  readonly reopenings: number;
  readonly lastReopened: ReopenReason | undefined;
  /** A replica's name, "" for nobody, undefined for nobody knows. */
  readonly holder: string | undefined;
}
