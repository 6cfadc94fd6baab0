export type NodeKind = 'scheduler' | 'seed-peer';

/** Why a node has another stream at the manager than before. */
export type ReopenReason =
  /** Its connection was lost. */
  | 'link-broken'
  /** The manager, or a change of channels here, is about to close its connection. */
  | 'leaving'
  /** Its connection says nothing any more, and another one does. */
  | 'mute'
  /** The manager ended it with a fault of its own. */
  | 'manager-error'
  /** The manager did not know the node, and does again. */
  | 'registered'
  /** The manager shows a live node as inactive. */
  | 'inactive'
  /** A replica that was late has ended a stream of the node. */
  | 'reassert'
  /** From a replica that has gone, or in the place of one that has ended its own. */
  | 'taken-over'
  /** The node was silent, and beats again. */
  | 'awake';

/** Why a node has no stream at the manager any more. */
export type NodeEndReason =
  /** Its last stream below was ended by itself. */
  | 'left'
  /** Its connection was lost, and it has not come back within `keepAlive.grace`. */
  | 'lost'
  /** It missed three of its beats. */
  | 'silent'
  /** The manager ended it, with what the node was told. */
  | 'answered'
  /** Another replica has taken it. */
  | 'yielded'
  /** The operator said so. */
  | 'forgotten'
  /** The gateway is stopping. */
  | 'stopping';

/** `unknown`: it could not be asked, or spoke of another row. */
export type NodeSays = 'active' | 'inactive' | 'gone' | 'unknown';

/** What the KeepAlive streams of nodes do, and what the managers say of the nodes. */
export type NodeEvent =
  // nodes: what their KeepAlive streams at the manager do
  | { kind: 'node-opened'; node: NodeKind; manager: string }
  /** `gapMs`: how long it had none; 0 where nobody knows. `detail`: what ended the one before, if nobody here did. */
  | {
      kind: 'node-reopened';
      node: NodeKind;
      manager: string;
      reason: ReopenReason;
      gapMs: number;
      detail: string;
    }
  | { kind: 'node-ended'; node: NodeKind; reason: NodeEndReason; detail: string }
  /** There are as many nodes as can be held: the stream is forwarded as it is. */
  | { kind: 'node-unshielded' }
  | { kind: 'openings-lowered'; perSecond: number }
  // nodes: what the managers say of them
  | { kind: 'node-looked-at'; node: NodeKind; says: NodeSays }
  /** The manager says so of a node that is alive here: once for each time it begins to. */
  | { kind: 'node-disputed'; node: NodeKind; says: 'inactive' | 'gone' }
  /** It says active again, so long after it was first seen to say otherwise. */
  | { kind: 'node-settled'; node: NodeKind; disputedMs: number }
  /** The manager did not know a live node: what became of its registration, sent again. */
  | {
      kind: 'node-registered-again';
      node: NodeKind;
      outcome: 'applied' | 'there-already' | 'refused' | 'later';
    };
