import type { Method } from '../config/methods.js';
import type { ApiVersion } from '../rpc/question.js';

/** A decoded request: field names as in the proto, 64-bit integers as text, enums by name. */
export type Fields = Readonly<Record<string, unknown>>;

/** Which part of a request decides the answer (test/fixtures/recordings). */
export type Dependence = {
  /** The values, in an order that never changes; each becomes one part of the key. */
  readonly parts: (fields: Fields) => readonly string[];
  readonly audience: 'own' | 'common';
};

/** The tags that a write touches. After one that it `deletes`, a poorer answer is what was wanted. */
export type Touched = { readonly updates: readonly string[]; readonly deletes: readonly string[] };

export type Route =
  | {
      readonly kind: 'read';
      readonly method: Method;
      readonly version: ApiVersion;
      readonly secret: boolean;
      readonly dependence: (fields: Fields) => Dependence;
      /** What writes may touch: see `tags.ts`. */
      readonly tags: (fields: Fields) => readonly string[];
    }
  | {
      readonly kind: 'write';
      readonly method: string;
      readonly touches: (fields: Fields) => Touched;
    }
  | { readonly kind: 'pass'; readonly method: string }
  | { readonly kind: 'keep-alive'; readonly method: 'KeepAlive' }
  | { readonly kind: 'health'; readonly method: 'Check' | 'Watch' };

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value));

const nothing: Dependence = { parts: () => [], audience: 'common' };

const node = (clusterField: string): Dependence => ({
  // The manager does not look at the ip; keyed by it, a pod with a new address would miss.
  parts: (fields) => [text(fields[clusterField]), text(fields.hostname)],
  audience: 'common',
});

const caller: Dependence = {
  parts: (fields) => [text(fields.hostname), text(fields.ip)],
  audience: 'own',
};

/** `idc` and `location` decide by their text with case aside in v2.5.1; kept as written, which is the stricter key. */
const searcher: Dependence = {
  parts: (fields) => ['source_type', 'hostname', 'ip', 'idc', 'location'].map((name) => text(fields[name])),
  audience: 'own',
};

/** v2.5 answers by the cluster id alone, v2.1.55 ignores the id: the caller's own, until answers say which (see `cache/sharing/`). */
const cluster: Dependence = {
  parts: (fields) => [text(fields.scheduler_cluster_id), ...searcher.parts(fields)],
  audience: 'own',
};

const hostInfo: Dependence = {
  parts: (fields) => {
    const pairs = Object.entries((fields.host_info ?? {}) as Record<string, unknown>);
    const sorted = pairs
      .map(([key, value]) => [key, text(value)])
      .sort(([a], [b]) => (text(a) < text(b) ? -1 : 1));
    return [text(fields.source_type), text(fields.hostname), text(fields.ip), JSON.stringify(sorted)];
  },
  audience: 'own',
};

const asksByCluster = (fields: Fields): boolean => !['', '0'].includes(text(fields.scheduler_cluster_id));

/** Tags name what an answer was made of; `*` stands for every node of a kind. */
export const tag = {
  schedulers: 'schedulers:*',
  seedPeers: 'seed-peers:*',
  seedPeerList: 'seed-peer-list',
  scheduler: (clusterId: unknown, hostname: unknown) =>
    JSON.stringify(['scheduler', text(clusterId), text(hostname)]),
  seedPeer: (clusterId: unknown, hostname: unknown) =>
    JSON.stringify(['seed-peer', text(clusterId), text(hostname)]),
};

function reads(version: ApiVersion): Record<string, Route> {
  const read = (
    method: Method,
    dependence: (fields: Fields) => Dependence,
    tags: (fields: Fields) => readonly string[] = () => [],
    secret = false,
  ): Route => ({ kind: 'read', method, version, secret, dependence, tags });
  return {
    ListApplications: read('ListApplications', () => nothing),
    ListSchedulers: read(
      'ListSchedulers',
      (fields) => (version === 'v1' ? hostInfo : asksByCluster(fields) ? cluster : searcher),
      // The schedulers in the list carry their cluster's seed peers.
      () => [tag.schedulers, tag.seedPeers],
    ),
    GetScheduler: read(
      'GetScheduler',
      () => node('scheduler_cluster_id'),
      (f) => [tag.scheduler(f.scheduler_cluster_id, f.hostname), tag.seedPeers],
    ),
    GetSeedPeer: read(
      'GetSeedPeer',
      () => node('seed_peer_cluster_id'),
      (f) => [tag.seedPeer(f.seed_peer_cluster_id, f.hostname), tag.schedulers],
    ),
    ListSeedPeers: read(
      'ListSeedPeers',
      () => caller,
      () => [tag.seedPeerList, tag.seedPeers],
    ),
  };
}

const writes: Record<string, Route> = {
  UpdateScheduler: {
    kind: 'write',
    method: 'UpdateScheduler',
    touches: (f) => ({
      updates: [tag.schedulers, tag.scheduler(f.scheduler_cluster_id, f.hostname)],
      deletes: [],
    }),
  },
  UpdateSeedPeer: {
    kind: 'write',
    method: 'UpdateSeedPeer',
    touches: (f) => ({
      updates: [tag.seedPeers, tag.seedPeer(f.seed_peer_cluster_id, f.hostname)],
      deletes: [],
    }),
  },
};

/** The public API has it in v2 only. */
const deletions: Record<string, Route> = {
  DeleteSeedPeer: {
    kind: 'write',
    method: 'DeleteSeedPeer',
    touches: (f) => ({
      updates: [tag.seedPeers],
      deletes: [tag.seedPeerList, tag.seedPeer(f.seed_peer_cluster_id, f.hostname)],
    }),
  },
};

const oldReads: Record<string, Route> = {
  GetObjectStorage: {
    kind: 'read',
    method: 'GetObjectStorage',
    version: 'v1',
    secret: true,
    dependence: () => nothing,
    tags: () => [],
  },
  ListBuckets: {
    kind: 'read',
    method: 'ListBuckets',
    version: 'v1',
    secret: false,
    dependence: () => nothing,
    tags: () => [],
  },
};

function service(name: string, methods: Record<string, Route>): [string, Route][] {
  return Object.entries(methods).map(([method, route]) => [`/${name}/${method}`, route]);
}

const keepAlive: Record<string, Route> = { KeepAlive: { kind: 'keep-alive', method: 'KeepAlive' } };

const pass = (method: string): Route => ({ kind: 'pass', method });

/** Every method that is known, by path. A path that is not here is forwarded, uncached. */
export const METHOD_TABLE: ReadonlyMap<string, Route> = new Map([
  ...service('manager.v2.Manager', { ...reads('v2'), ...writes, ...deletions, ...keepAlive }),
  ...service('manager.Manager', {
    ...reads('v1'),
    ...oldReads,
    ...writes,
    ...keepAlive,
    // Large, 30 minutes of deadline, not idempotent: carried, never remembered, never tried twice.
    CreateModel: pass('CreateModel'),
  }),
  ...service('security.Certificate', { IssueCertificate: pass('IssueCertificate') }),
  ...service('grpc.health.v1.Health', {
    Check: { kind: 'health', method: 'Check' },
    Watch: { kind: 'health', method: 'Watch' },
  }),
]);

/** The labels of all reads. */
export const READ_METHODS: readonly string[] = [...METHOD_TABLE]
  .filter(([, route]) => route.kind === 'read')
  .map(([path]) => methodLabel(path));

/** A label from a closed set: the path of a known method without its slash, or `other`. */
export function methodLabel(path: string): string {
  return METHOD_TABLE.has(path) ? path.slice(1) : 'other';
}
