import type { NodeId } from '../keepalive/node.js';

/** A node as a registration names it. `source`: as in the request, e.g. "SCHEDULER_SOURCE". `clusterId`: decimal text. */
export interface NodeName {
  readonly kind: 'scheduler' | 'seed-peer';
  readonly source: string;
  readonly clusterId: string;
  readonly hostname: string;
}

/** A registration as it was received, and what of it is looked at. */
export interface Registration {
  readonly node: NodeName;
  readonly path: string;
  readonly ip: string;
  readonly port: number;
  readonly request: Buffer;
}

/** A deletion; an empty `ip`: whatever address the node has. */
export interface Deletion {
  readonly clusterId: string;
  readonly hostname: string;
  readonly ip: string;
}

export type Fields = Readonly<Record<string, unknown>>;

export interface MessageDecoder {
  /** Throws on bytes that are no such message. */
  decodeRequest(path: string, bytes: Buffer): Fields;
  decodeResponse(path: string, bytes: Buffer): Fields;
}

export type WriteRead =
  | { readonly kind: 'registration'; readonly registration: Registration }
  | { readonly kind: 'deletion'; readonly deletion: Deletion }
  | { readonly kind: 'other' };

const REGISTRATION = /^\/manager\.(?:v2\.)?Manager\/Update(Scheduler|SeedPeer)$/;
const DELETION = /^\/manager\.(?:v2\.)?Manager\/DeleteSeedPeer$/;

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value));

/** What a write is. One that cannot be read is `other`: the manager is the one to refuse it. */
export function readWrite(path: string, request: Buffer, decoder: MessageDecoder): WriteRead {
  const update = REGISTRATION.exec(path);
  if (update === null && !DELETION.test(path)) return { kind: 'other' };
  let fields: Fields;
  try {
    fields = decoder.decodeRequest(path, request);
  } catch {
    return { kind: 'other' };
  }
  const [hostname, ip] = [text(fields.hostname), text(fields.ip)];
  if (update === null) {
    return { kind: 'deletion', deletion: { clusterId: text(fields.seed_peer_cluster_id), hostname, ip } };
  }
  const kind = update[1] === 'Scheduler' ? 'scheduler' : 'seed-peer';
  const clusterId = text(kind === 'scheduler' ? fields.scheduler_cluster_id : fields.seed_peer_cluster_id);
  const node: NodeName = { kind, source: text(fields.source_type), clusterId, hostname };
  return { kind: 'registration', registration: { node, path, ip, port: Number(fields.port ?? 0), request } };
}

/** The same as its KeepAlive stream names it. */
export function nodeIdOf({ node, ip }: Registration): NodeId {
  return { ...node, ip };
}

/** Same method and port: a changed port is "Duplicate entry" at the manager (protocol.md §2). */
export function isSameService(one: Registration, other: Registration): boolean {
  return one.path === other.path && one.port === other.port;
}

/** Two nodes share a text only if they are one. */
export function nodeKey({ kind, source, clusterId, hostname }: NodeName): string {
  return JSON.stringify([kind, source, clusterId, hostname]);
}

/** One at a time: writes to rows of the same name, whatever they call themselves. */
export function turnKey(kind: NodeName['kind'], clusterId: string, hostname: string): string {
  return JSON.stringify([kind, clusterId, hostname]);
}

/** A deletion, by what it names. */
export function deletionKey({ clusterId, hostname, ip }: Deletion): string {
  return JSON.stringify([clusterId, hostname, ip]);
}

/** The deletions that would name this node, with its address and without; "" where there is none. */
export function deletionKeys({ kind, clusterId, hostname }: NodeName, ip: string): [string, string] {
  if (kind !== 'seed-peer') return ['', ''];
  return [deletionKey({ clusterId, hostname, ip: '' }), deletionKey({ clusterId, hostname, ip })];
}
