import type { NodeId } from './node.js';

export interface IdentityDecoder {
  /** Names as in the proto, 64-bit integers as text, enums by name. Throws on bytes that are no such message. */
  decodeRequest(path: string, bytes: Buffer): Readonly<Record<string, unknown>>;
}

/** A real one has some 60; it is kept for as long as the node is, and shared with other replicas. */
const MOST_BYTES = 4_096;

const KINDS: ReadonlyMap<unknown, NodeId['kind']> = new Map([
  ['SCHEDULER_SOURCE', 'scheduler'],
  ['SEED_PEER_SOURCE', 'seed-peer'],
]);

/**
 * Whom the first message of a stream is about. undefined: nobody that the manager keeps a state of, or nobody can tell; then it is
 * the manager who has to say what is wrong with it.
 */
export function identify(path: string, first: Buffer, decoder: IdentityDecoder): NodeId | undefined {
  if (first.length > MOST_BYTES) return undefined;
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = decoder.decodeRequest(path, first);
  } catch {
    return undefined;
  }
  const kind = KINDS.get(fields.source_type);
  const [source, clusterId, hostname, ip] = ['source_type', 'cluster_id', 'hostname', 'ip'].map((name) =>
    String(fields[name] ?? ''),
  ) as [string, string, string, string];
  if (kind === undefined || clusterId === '0' || !isText(hostname) || !isText(ip)) return undefined;
  return { kind, source, clusterId, hostname, ip };
}

/** protobufjs puts U+FFFD where it finds no UTF-8, so that different nodes would look alike. */
function isText(value: string): boolean {
  return value !== '' && !value.includes('\u{fffd}');
}
