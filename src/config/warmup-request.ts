import type { Method } from './methods.js';

/** A question of the configuration, checked: `request` holds fields that the method knows, as the API names them. */
export type WarmupRequest = {
  readonly method: Exclude<Method, 'GetObjectStorage'>;
  readonly version: 'v1' | 'v2';
  readonly request: Readonly<Record<string, unknown>>;
};

/** How a field is written: text, a number of a cluster, who asks, or texts by name. */
export type FieldForm = 'text' | 'id' | 'source' | 'texts';

export const SOURCES = ['SCHEDULER_SOURCE', 'PEER_SOURCE', 'SEED_PEER_SOURCE'] as const;

const who = { source_type: 'source', hostname: 'text', ip: 'text' } as const;
const build = { version: 'text', commit: 'text' } as const;
const node = (cluster: string) => ({ ...who, [cluster]: 'id' }) as const;

type Fields = Readonly<Record<string, FieldForm>>;

/** Fields of each request by method and version; a test holds them against proto/. GetObjectStorage is not here: its answer holds credentials. */
export const REQUEST_FIELDS: Readonly<
  Record<WarmupRequest['method'], Readonly<Partial<Record<WarmupRequest['version'], Fields>>>>
> = {
  ListApplications: { v1: who, v2: who },
  ListSchedulers: {
    v1: { ...who, host_info: 'texts', ...build },
    v2: { ...who, idc: 'text', location: 'text', ...build, scheduler_cluster_id: 'id' },
  },
  GetScheduler: { v1: node('scheduler_cluster_id'), v2: node('scheduler_cluster_id') },
  GetSeedPeer: { v1: node('seed_peer_cluster_id'), v2: node('seed_peer_cluster_id') },
  ListSeedPeers: { v1: { ...who, ...build }, v2: { ...who, ...build } },
  ListBuckets: { v1: who },
};
