import type { Reply } from '../rpc/call.js';
import type { Question } from '../rpc/question.js';
import { Code } from '../rpc/status.js';

/** A row of a node, as an answer shows it. `clusterId`: decimal text. */
export interface NodeRow {
  readonly kind: 'scheduler' | 'seed-peer';
  readonly clusterId: string;
  readonly hostname: string;
  /** Of the row in the database, which counts them up; empty: not shown. */
  readonly id: string;
  /** The manager's sweep deletes rows that are inactive for half an hour. */
  readonly inactive: boolean;
}

/** What an answer says about the world of the manager. */
export interface Facts {
  /** Names of scheduler clusters by id. */
  readonly clusters: ReadonlyMap<string, string>;
  readonly nodes: readonly NodeRow[];
  /** "record not found". */
  readonly notFound: boolean;
}

export type Decode = (path: string, bytes: Buffer) => Readonly<Record<string, unknown>>;

type Row = Readonly<Record<string, unknown>>;

const NOTHING: Facts = { clusters: new Map(), nodes: [], notFound: false };
const TELLING = new Set(['ListSchedulers', 'GetScheduler', 'GetSeedPeer', 'ListSeedPeers']);

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value));

/** Never throws: what cannot be read says nothing. */
export function factsOf(
  { path, method }: Pick<Question, 'path' | 'method'>,
  reply: Reply,
  decode: Decode,
): Facts {
  if (!TELLING.has(method)) return NOTHING;
  if (reply.status.code !== Code.OK) {
    return { ...NOTHING, notFound: /record not found/i.test(reply.status.message) };
  }
  if (reply.message === undefined) return NOTHING;
  let fields: Row;
  try {
    fields = decode(path, reply.message);
  } catch {
    return NOTHING;
  }
  switch (method) {
    case 'ListSchedulers':
      return ofSchedulers(rows(fields.schedulers));
    case 'GetScheduler':
      return ofSchedulers([fields]);
    case 'GetSeedPeer':
      return ofSeedPeers([fields]);
    default:
      return ofSeedPeers(rows(fields.seed_peers));
  }
}

function ofSchedulers(found: readonly Row[]): Facts {
  const clusters = new Map<string, string>();
  for (const { scheduler_cluster: cluster } of found) {
    const { id, name } = (cluster ?? {}) as Row;
    if (text(id) !== '' && text(id) !== '0') clusters.set(text(id), text(name));
  }
  return { clusters, nodes: named('scheduler', found, 'scheduler_cluster_id'), notFound: false };
}

function ofSeedPeers(found: readonly Row[]): Facts {
  return { ...NOTHING, nodes: named('seed-peer', found, 'seed_peer_cluster_id') };
}

/** v2.1.55 leaves the cluster's id out of lists: such a row cannot be asked for again. */
function named(kind: NodeRow['kind'], found: readonly Row[], field: string): NodeRow[] {
  return found.flatMap((row) => {
    const [clusterId, hostname] = [text(row[field]), text(row.hostname)];
    if (clusterId === '' || clusterId === '0' || hostname === '') return [];
    const id = text(row.id) === '0' ? '' : text(row.id);
    return [{ kind, clusterId, hostname, id, inactive: row.state === 'inactive' }];
  });
}

function rows(value: unknown): readonly Row[] {
  return Array.isArray(value) ? (value as Row[]) : [];
}
