import type { Codec } from './codec.js';
import type { FaultBoard } from './fault-board.js';
import type { ManagerRecord, NodeName } from './manager-record.js';
import type { ManagerVersion } from './manager-version.js';
import type { ApiVersion, Message } from './messages.js';
import type { Asking, Stores } from './stores.js';
import type { Fields } from './validation.js';

/** What the methods of one manager process work with. */
export type ManagerParts = {
  readonly version: ManagerVersion;
  readonly timeFactor: number;
  readonly record: ManagerRecord;
  readonly faults: FaultBoard;
  readonly stores: Stores;
  readonly codec: Codec;
  /** Aborted when this process dies. */
  readonly lifetime: AbortSignal;
};

/** One unary question, read and found valid. */
export type Ask = {
  readonly path: string;
  readonly api: ApiVersion;
  readonly fields: Fields;
  readonly asking: Asking;
  readonly encode: (message: Message) => Buffer;
};

/** Answers with the encoded message, or throws a Refusal. */
export type Answerer = (parts: ManagerParts, ask: Ask) => Promise<Buffer>;

/** Under which key the answer to Get… of a node is cached: with the ip, though the answer does not look at it. */
export function nodeKey(api: ApiVersion, node: NodeName): string {
  return JSON.stringify([api, node.kind, node.clusterId, node.hostname, node.ip]);
}

/** A write makes this process and Redis forget the node that it names, in both APIs. */
export async function forgetNode(parts: ManagerParts, asking: Asking, node: NodeName): Promise<void> {
  await parts.stores.forget(asking, [nodeKey('v1', node), nodeKey('v2', node)]);
}
