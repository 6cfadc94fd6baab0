/** A row's state, as the manager writes it. */
export type NodeState = 'active' | 'inactive';

/** The two kinds of nodes that a manager keeps rows of. */
export type NodeKind = 'scheduler' | 'seed-peer';

/** How a cluster says whom it is for; empty or absent: says nothing. */
export type Scopes = {
  readonly idc?: string;
  readonly location?: string;
  readonly cidrs?: readonly string[];
  readonly hostnames?: readonly string[];
};

/** `config`, `clientConfig`, `seedClientConfig`: JSON text, as it travels. */
export type SchedulerClusterRow = {
  readonly id: number;
  name: string;
  bio: string;
  config: string;
  clientConfig: string;
  seedClientConfig: string;
  scopes: Scopes;
  isDefault: boolean;
  seedPeerClusterIds: number[];
};

export type SeedPeerClusterRow = { readonly id: number; name: string; bio: string; config: string };

/** `lastBeatAtMs`: on the record's clock. */
export type SchedulerRow = {
  readonly id: number;
  readonly hostname: string;
  readonly ip: string;
  readonly clusterId: number;
  idc: string;
  location: string;
  port: number;
  state: NodeState;
  features: readonly string[];
  lastBeatAtMs: number;
};

export type SeedPeerRow = {
  readonly id: number;
  readonly hostname: string;
  readonly ip: string;
  readonly clusterId: number;
  type: string;
  idc: string;
  location: string;
  port: number;
  downloadPort: number;
  objectStoragePort: number;
  state: NodeState;
};

/** `priority` 0 to 6, as the API numbers them. */
export type ApplicationRow = {
  readonly id: number;
  readonly name: string;
  readonly url: string;
  readonly bio: string;
  readonly priority:
    | { readonly value: number; readonly urls: readonly { readonly regex: string; readonly value: number }[] }
    | undefined;
};

/** v2.1.55 only. `accessKey` and `secretKey` are made up: nothing real belongs into a simulator. */
export type ObjectStorageRow = {
  readonly name: string;
  readonly region: string;
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly s3ForcePathStyle: boolean;
  readonly scheme: string;
  readonly buckets: readonly string[];
};
