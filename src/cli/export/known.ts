import { decodeResponse } from '../../route/proto.js';

/** An answer of the manager, from wherever it was kept. */
export interface KeptAnswer {
  readonly path: string;
  readonly message: Buffer;
  /** Since the manager was asked. */
  readonly ageMs: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** What is known of one cluster, each part from the newest answer that has it. */
export interface KnownCluster {
  readonly id: string;
  readonly name: string;
  readonly ageMs: number;
  /** The JSON documents of the manager's console, read; `{}` where there is none. */
  readonly config: Fields;
  readonly clientConfig: Fields;
  readonly seedClientConfig: Fields;
  readonly seedPeerConfig: Fields | undefined;
  readonly schedulers: readonly { readonly host: string; readonly port: number; readonly active: boolean }[];
}

export interface Known {
  readonly clusters: readonly KnownCluster[];
  readonly applications: { readonly ageMs: number; readonly items: readonly Fields[] } | undefined;
}

const V2 = '/manager.v2.Manager/';

/** Reads what `dynconfig.yaml` needs out of answers; those of v1 say nothing of clusters and are passed over. */
export function knownFrom(answers: readonly KeptAnswer[]): Known {
  const newestFirst = answers.toSorted((one, other) => one.ageMs - other.ageMs);
  const clusters = new Map<string, KnownCluster>();
  let applications: Known['applications'];
  for (const { path, message, ageMs } of newestFirst) {
    if (path === `${V2}ListApplications`) {
      applications ??= { ageMs, items: listAt(decodeResponse(path, message), 'applications') };
      continue;
    }
    if (path !== `${V2}ListSchedulers` && path !== `${V2}GetScheduler`) continue;
    const answer = decodeResponse(path, message);
    const isList = path === `${V2}ListSchedulers`;
    for (const rows of byCluster(isList ? listAt(answer, 'schedulers') : [answer]).values()) {
      const found = clusterOf(rows, isList, ageMs);
      if (found !== undefined) clusters.set(found.id, merged(clusters.get(found.id), found));
    }
  }
  return { clusters: [...clusters.values()].sort((a, b) => Number(a.id) - Number(b.id)), applications };
}

function byCluster(rows: readonly Fields[]): Map<string, Fields[]> {
  const groups = new Map<string, Fields[]>();
  for (const row of rows) {
    const id = String(fieldsAt(row, 'scheduler_cluster')?.id ?? row.scheduler_cluster_id ?? '');
    groups.set(id, [...(groups.get(id) ?? []), row]);
  }
  return groups;
}

/** undefined: these rows do not say what their cluster is. */
function clusterOf(rows: readonly Fields[], isList: boolean, ageMs: number): KnownCluster | undefined {
  const cluster = rows.map((row) => fieldsAt(row, 'scheduler_cluster')).find((one) => one !== undefined);
  if (cluster === undefined) return undefined;
  const seedPeerCluster = rows
    .flatMap((row) => listAt(row, 'seed_peers'))
    .map((seedPeer) => fieldsAt(seedPeer, 'seed_peer_cluster'))
    .find((one) => one !== undefined);
  return {
    id: String(cluster.id),
    name: String(cluster.name),
    ageMs,
    config: documentAt(cluster, 'config'),
    clientConfig: documentAt(cluster, 'client_config'),
    seedClientConfig: documentAt(cluster, 'seed_client_config'),
    seedPeerConfig: seedPeerCluster && documentAt(seedPeerCluster, 'config'),
    // One row is no list: whoever reads itself learns nothing of the others.
    schedulers: isList
      ? rows.map(({ ip, port, state }) => ({
          host: String(ip),
          port: Number(port),
          active: state === 'active',
        }))
      : [],
  };
}

/** `newer`, with what it lacks from `older`. */
function merged(newer: KnownCluster | undefined, older: KnownCluster): KnownCluster {
  if (newer === undefined) return older;
  const seedPeerConfig = newer.seedPeerConfig ?? older.seedPeerConfig;
  return {
    ...newer,
    // GetScheduler leaves it out (recordings of v2.5.1).
    seedClientConfig:
      Object.keys(newer.seedClientConfig).length > 0 ? newer.seedClientConfig : older.seedClientConfig,
    seedPeerConfig,
    schedulers: newer.schedulers.length > 0 ? newer.schedulers : older.schedulers,
    ageMs: newer.schedulers.length > 0 ? newer.ageMs : older.ageMs,
  };
}

function fieldsAt(fields: Fields, name: string): Fields | undefined {
  const value = fields[name];
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}

function listAt(fields: Fields, name: string): readonly Fields[] {
  const value = fields[name];
  return Array.isArray(value) ? (value as Fields[]) : [];
}

/** A field that holds JSON; what is none is taken for empty. */
function documentAt(fields: Fields, name: string): Fields {
  const bytes = fields[name];
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return {};
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
  } catch {
    return {};
  }
}
