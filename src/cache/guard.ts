import type { Method } from '../config/methods.js';
import type { PoorerReason } from '../observe/events.js';
import type { Reply } from '../rpc/call.js';
import { Code } from '../rpc/status.js';

/** What of an answer decides whether another is poorer. `items` undefined: not a list. */
export interface Shape {
  readonly ok: boolean;
  /** NOT_FOUND, or INTERNAL/UNKNOWN "record not found", which is how the manager says it (test/fixtures/recordings). */
  readonly notFound: boolean;
  readonly items: number | undefined;
  /** Some scheduler in the list carries its cluster; Rust v1.5.1 exits on a list without. */
  readonly withCluster: boolean;
}

export interface ResponseDecoder {
  /** Throws on bytes that are no such message. */
  decodeResponse(path: string, bytes: Buffer): Readonly<Record<string, unknown>>;
}

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
    return { ok: false, notFound, items: undefined, withCluster: false };
  }
  const fields = reply.message === undefined ? {} : decoder.decodeResponse(path, reply.message);
  const field = LIST_FIELD[method];
  if (field === undefined) return { ok: true, notFound: false, items: undefined, withCluster: false };
  const items = (fields as Record<string, unknown>)[field];
  const list = Array.isArray(items) ? (items as { scheduler_cluster?: unknown }[]) : [];
  const withCluster = list.some(
    (item) => item.scheduler_cluster !== undefined && item.scheduler_cluster !== null,
  );
  return { ok: true, notFound: false, items: list.length, withCluster };
}

/** In what way `next` is poorer than `last`, or undefined if it may take its place at once. */
export function poorer(last: Shape, next: Shape): PoorerReason | undefined {
  if (!last.ok) return undefined;
  if (next.notFound) return 'record-not-found';
  if (!next.ok) return undefined;
  if ((last.items ?? 0) > 0 && next.items === 0) return 'empty-list';
  if (last.withCluster && !next.withCluster) return 'without-cluster';
  return undefined;
}
