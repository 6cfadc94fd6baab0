import { createHash } from 'node:crypto';
import { decodeRequest, decodeResponse } from '../../../../src/route/proto.js';

const V1 = '/manager.Manager/';
const REMEMBERED = 20_000;

/** What an answer depends on (protocol.md, section 2): two requests of one class ask the same of the manager. */
export function createClasses(): (path: string, request: Buffer) => string {
  const known = new Map<string, string>();
  return (path, request) => {
    const key = `${path} ${request.toString('latin1')}`;
    let found = known.get(key);
    if (found === undefined) {
      found = classOf(path, request);
      if (known.size >= REMEMBERED) known.clear();
      known.set(key, found);
    }
    return found;
  };
}

function classOf(path: string, request: Buffer): string {
  const fields = decodeRequest(path, request) as Record<string, string>;
  const method = path.slice(path.lastIndexOf('/') + 1);
  const api = path.startsWith(V1) ? 'v1' : 'v2';
  const cluster = fields.scheduler_cluster_id ?? fields.seed_peer_cluster_id ?? '';
  switch (method) {
    case 'GetScheduler':
    case 'GetSeedPeer':
      // The manager does not look at the ip.
      return `${api} ${method} ${cluster} ${fields.hostname}`;
    case 'ListApplications':
      return `${api} ${method}`;
    case 'ListSchedulers':
      if (api === 'v1') break;
      if (Number(cluster) > 0) return `${api} ${method} cluster ${cluster}`;
      return `${SEARCHER}${fields.idc}, ${fields.location}`.toLowerCase();
  }
  return `${path} ${request.toString('base64')}`;
}

/** What the classes of searchers begin with: they differ in the order of the same schedulers. */
export const SEARCHER = 'v2 listschedulers at ';

/** How many a list of schedulers names, and a name for the set of them; undefined: no such list. */
export function listedIn(
  path: string,
  answer: Buffer,
): { readonly count: number; readonly set: string } | undefined {
  if (!path.endsWith('/ListSchedulers')) return undefined;
  const { schedulers } = decodeResponse(path, answer) as { schedulers?: readonly Record<string, unknown>[] };
  const names = (schedulers ?? []).map((row) => hashOf(Buffer.from(JSON.stringify(row))));
  return { count: names.length, set: hashOf(Buffer.from(names.toSorted().join())) };
}

export function hashOf(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('base64');
}
