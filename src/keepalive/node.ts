/** What a KeepAlive stream is about, as its first message names it (protocol: source_type, cluster_id, hostname, ip). */
export interface NodeId {
  readonly kind: 'scheduler' | 'seed-peer';
  /** As in the request, e.g. "SCHEDULER_SOURCE". */
  readonly source: string;
  /** Decimal text. */
  readonly clusterId: string;
  readonly hostname: string;
  readonly ip: string;
}

/** What it takes to open the node's stream at a manager: it may be sent again whenever the stream is replaced. */
export interface NodeRecord {
  readonly node: NodeId;
  /** Of the newest stream below: "/manager.v2.Manager/KeepAlive" or "/manager.Manager/KeepAlive". */
  readonly path: string;
  /** Raw bytes of the node's first message. */
  readonly first: Buffer;
  /** The node's own interval between two beats, ms, as far as it is known. */
  readonly intervalMs: number | undefined;
}

/** Two nodes share a text only if they are one. */
export function nodeKeyOf({ kind, source, clusterId, hostname, ip }: NodeId): string {
  return JSON.stringify([kind, source, clusterId, hostname, ip]);
}
