import type { Method } from '../config/methods.js';
import type { PoorerReason } from '../observe/events.js';
import type { Reply } from '../rpc/call.js';
import { Code } from '../rpc/status.js';

/** A node as a list shows it. `clusterId`: decimal text. */
export interface ListedNode {
  readonly kind: 'scheduler' | 'seed-peer';
  readonly clusterId: string;
  readonly hostname: string;
  readonly ip: string;
}

/** What of an answer decides whether another is poorer. `items` undefined: not a list. */
export interface Shape {
  readonly ok: boolean;
  /** NOT_FOUND, or INTERNAL/UNKNOWN "record not found", which is how the manager says it (test/fixtures/recordings). */
  readonly notFound: boolean;
  readonly items: number | undefined;
  /** Some scheduler in the list carries its cluster; Rust v1.5.1 exits on a list without. */
  readonly withCluster: boolean;
  /** Those in a list of schedulers or of seed peers that are not shown as inactive (v2.5 lists these by cluster id). */
  readonly nodes: readonly ListedNode[];
}

export interface ResponseDecoder {
  /** Throws on bytes that are no such message. */
  decodeResponse(path: string, bytes: Buffer): Readonly<Record<string, unknown>>;
}

type Row = Readonly<Record<string, unknown>>;

const NO_LIST = { items: undefined, withCluster: false, nodes: [] } as const;

const LIST_FIELD: Partial<Record<Method, string>> = {
  ListApplications: 'applications',
  ListSchedulers: 'schedulers',
  ListSeedPeers: 'seed_peers',
  ListBuckets: 'buckets',
};

/** Reads the shape of an answer. Throws if an OK answer's message is no message of its method. */
export function shapeOf(method: Method, path: string, reply: Reply, decoder: ResponseDecoder): Shape {
  if (reply.status.code !== Code.OK) {
    const notFound = reply.status.code === Code.NOT_FOUND || /record not found/i.test(reply.status.message);
    return { ok: false, notFound, ...NO_LIST };
  }
  const fields = reply.message === undefined ? {} : decoder.decodeResponse(path, reply.message);
  const field = LIST_FIELD[method];
  if (field === undefined) return { ok: true, notFound: false, ...NO_LIST };
  const items = (fields as Row)[field];
  const list = Array.isArray(items) ? (items as Row[]) : [];
  const withCluster = list.some(
    ({ scheduler_cluster: cluster }) => cluster !== undefined && cluster !== null,
  );
  return { ok: true, notFound: false, items: list.length, withCluster, nodes: nodesIn(method, list) };
}

function nodesIn(method: Method, list: readonly Row[]): ListedNode[] {
  if (method !== 'ListSchedulers' && method !== 'ListSeedPeers') return [];
  const [kind, cluster] =
    method === 'ListSchedulers'
      ? (['scheduler', 'scheduler_cluster_id'] as const)
      : (['seed-peer', 'seed_peer_cluster_id'] as const);
  return list
    .filter(({ state }) => state !== 'inactive')
    .map((row) => ({
      kind,
      clusterId: String(row[cluster] ?? ''),
      hostname: String(row.hostname ?? ''),
      ip: String(row.ip ?? ''),
    }));
}

/** In what way `next` is poorer than `last`, or undefined if it may take its place at once. `isAlive`: is the node's stream here? */
export function poorer(
  last: Shape,
  next: Shape,
  isAlive: (node: ListedNode) => boolean,
): PoorerReason | undefined {
  if (!last.ok) return undefined;
  if (next.notFound) return 'record-not-found';
  if (!next.ok) return undefined;
  if ((last.items ?? 0) > 0 && next.items === 0) return 'empty-list';
  if (last.withCluster && !next.withCluster) return 'without-cluster';
  return lost(last, next).some(isAlive) ? 'lost-live-node' : undefined;
}

function lost(last: Shape, next: Shape): readonly ListedNode[] {
  if (last.nodes.length === 0) return [];
  const name = ({ clusterId, hostname, ip }: ListedNode): string => JSON.stringify([clusterId, hostname, ip]);
  const there = new Set(next.nodes.map(name));
  return last.nodes.filter((node) => !there.has(name(node)));
}
