import { GatewayError } from '../errors.js';
import type { Reply } from '../rpc/call.js';
import type { Clock } from '../rpc/clock.js';
import { freshIp } from '../rpc/fresh-ip.js';
import { NO_METADATA } from '../rpc/metadata.js';
import { Code, statusText } from '../rpc/status.js';
import type { Line } from '../upstream/line.js';
import type { NodeId, NodeRecord } from './node.js';
import type { Sighting, Witness } from './witness.js';

export type AskedLine = Pick<Line, 'unary'>;
type Fields = Readonly<Record<string, unknown>>;

export interface ManagerWitnessOptions {
  readonly codec: {
    encodeRequest(path: string, fields: Fields): Buffer;
    /** Throws on bytes that are no such message. */
    decodeResponse(path: string, bytes: Buffer): Fields;
  };
  /** Of one question. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/** What was answered: fields of an OK, "record not found", or nothing that says anything. */
type Said =
  | { readonly kind: 'fields'; readonly fields: Fields }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'none-active' }
  | { readonly kind: 'nothing'; readonly detail: string };

type Ask = (line: AskedLine, path: string, fields: Fields) => Promise<Said>;

/**
 * Asks for the node's own row first, because that alone shows at once what KeepAlive streams write; where the oldest row of its hostname is
 * another node's, asks for the list that names addresses. Which is believed when: docs/decisions/0021-witnesses.md.
 */
export function createManagerWitness(options: ManagerWitnessOptions): Witness<AskedLine> {
  const ask: Ask = (line, path, fields) => asked(options, line, path, fields);
  const schedulersOf = sharedFlights((clusterId, line: AskedLine) =>
    ask(line, ...schedulersQuestion(clusterId)),
  );
  return {
    async look(record, line, depth) {
      const ip = depth === 'usual' ? record.node.ip : freshIp(options.random);
      const [path, fields] = rowQuestion(record, ip);
      const said = await ask(line, path, fields);
      const sighting = fromRow(record.node, said);
      if (sighting !== undefined) return sighting;
      return record.node.kind === 'scheduler'
        ? fromSchedulers(record.node, await schedulersOf(record.node.clusterId, line))
        : fromSeedPeers(record.node, await ask(line, ...seedPeersQuestion(record)));
    },
  };
}

async function asked(
  { codec, timeoutMs, clock }: ManagerWitnessOptions,
  line: AskedLine,
  path: string,
  fields: Fields,
): Promise<Said> {
  const message = codec.encodeRequest(path, fields);
  const deadlineMs = clock.nowMs() + timeoutMs;
  try {
    const { reply } = await line.unary({
      path,
      message,
      metadata: NO_METADATA,
      deadlineMs,
      signal: undefined,
    });
    return read(reply, (bytes) => codec.decodeResponse(path, bytes));
  } catch (error) {
    // A line that answers nothing, or an answer that is no such message: nobody knows, and the next look asks again.
    if (error instanceof GatewayError) return { kind: 'nothing', detail: error.message };
    throw error;
  }
}

function read({ status, message }: Reply, decode: (bytes: Buffer) => Fields): Said {
  if (status.code === Code.OK) return { kind: 'fields', fields: decode(message ?? Buffer.alloc(0)) };
  if (/record not found/i.test(status.message)) return { kind: 'not-found' };
  // What ListSeedPeers says where no seed peer of the asking one's cluster is active (source).
  if (status.code === Code.NOT_FOUND) return { kind: 'none-active' };
  return { kind: 'nothing', detail: statusText(status) };
}

function rowQuestion({ node, path }: NodeRecord, ip: string): [path: string, fields: Fields] {
  const { source, hostname, clusterId } = node;
  const [method, cluster] =
    node.kind === 'scheduler'
      ? ['GetScheduler', 'scheduler_cluster_id']
      : ['GetSeedPeer', 'seed_peer_cluster_id'];
  return [sibling(path, method), { source_type: source, hostname, [cluster]: clusterId, ip }];
}

/** The same for every node of a cluster, so that one asking serves them all. Only v2 knows the field, and only from v2.5 on. */
function schedulersQuestion(clusterId: string): [path: string, fields: Fields] {
  const asker = { source_type: 'SCHEDULER_SOURCE', hostname: 'manager-gateway', ip: '127.0.0.1' };
  return ['/manager.v2.Manager/ListSchedulers', { ...asker, scheduler_cluster_id: clusterId }];
}

/** The manager looks for whoever asks by hostname and ip, both, and lists the active ones of his cluster. */
function seedPeersQuestion({
  node: { source, hostname, ip },
  path,
}: NodeRecord): [path: string, fields: Fields] {
  return [sibling(path, 'ListSeedPeers'), { source_type: source, hostname, ip }];
}

/** In the same version of the API. */
function sibling(path: string, method: string): string {
  return path.replace(/[^/]+$/, method);
}

/** undefined: the row is that of another node of the hostname. */
function fromRow({ ip }: NodeId, said: Said): Sighting | undefined {
  switch (said.kind) {
    case 'fields':
      return said.fields.ip === ip ? fromState(said.fields.state, 'row') : undefined;
    case 'not-found':
    case 'none-active':
      return { kind: 'gone', by: 'row' };
    case 'nothing':
      return { kind: 'unknown', detail: said.detail };
    default:
      return said satisfies never;
  }
}

function fromSchedulers(node: NodeId, said: Said): Sighting {
  if (said.kind !== 'fields') return nothingOf(said);
  const rows = rowsOf(said.fields.schedulers);
  const own = ownRow(rows, node, 'scheduler_cluster_id');
  if (own !== undefined) return fromState(own.state, 'list');
  // v2.1.55 does not look at the cluster id, and lists the active ones of all clusters, without these: who is not there may be inactive.
  const isOfCluster = ({ scheduler_cluster: cluster, scheduler_cluster_id: id }: Fields): boolean =>
    cluster !== undefined && cluster !== null && String(id) === node.clusterId;
  if (rows.length > 0 && rows.every(isOfCluster)) return { kind: 'gone', by: 'list' };
  return { kind: 'unknown', detail: 'the oldest row of its hostname is another node’s' };
}

function fromSeedPeers(node: NodeId, said: Said): Sighting {
  switch (said.kind) {
    case 'fields': {
      const rows = rowsOf(said.fields.seed_peers);
      const own = ownRow(rows, node, 'seed_peer_cluster_id');
      if (own !== undefined) return fromState(own.state, 'list');
      const isItsCluster = ({ seed_peer_cluster_id: id }: Fields): boolean => String(id) === node.clusterId;
      if (rows.length > 0 && rows.every(isItsCluster)) return { kind: 'inactive', by: 'list' };
      return { kind: 'unknown', detail: 'the seed peers listed are of another cluster' };
    }
    case 'not-found':
      return { kind: 'gone', by: 'list' };
    case 'none-active':
      return { kind: 'inactive', by: 'list' };
    case 'nothing':
      return nothingOf(said);
    default:
      return said satisfies never;
  }
}

function nothingOf(said: Said): Sighting {
  return { kind: 'unknown', detail: said.kind === 'nothing' ? said.detail : 'its cluster is not listed' };
}

function ownRow(
  rows: readonly Fields[],
  { clusterId, hostname, ip }: NodeId,
  cluster: string,
): Fields | undefined {
  return rows.find((row) => String(row[cluster]) === clusterId && row.hostname === hostname && row.ip === ip);
}

function rowsOf(list: unknown): readonly Fields[] {
  return Array.isArray(list) ? (list as Fields[]) : [];
}

function fromState(state: unknown, by: 'row' | 'list'): Sighting {
  if (state === 'active' || state === 'inactive') return { kind: state, by };
  return { kind: 'unknown', detail: `its state is ${JSON.stringify(state)}` };
}

/** One flight at a time for what is asked over the same line under the same name. */
function sharedFlights<L extends object, T>(start: (name: string, line: L) => Promise<T>): typeof start {
  const flights = new WeakMap<L, Map<string, Promise<T>>>();
  return (name, line) => {
    const onLine = flights.get(line) ?? new Map<string, Promise<T>>();
    flights.set(line, onLine);
    const running = onLine.get(name);
    if (running !== undefined) return running;
    const flight = start(name, line).finally(() => onLine.delete(name));
    onLine.set(name, flight);
    return flight;
  };
}
