import type {
  ApplicationRow,
  SchedulerClusterRow,
  SchedulerRow,
  SeedPeerClusterRow,
  SeedPeerRow,
} from './rows.js';

export type ApiVersion = 'v1' | 'v2';
/** A message by the names in `proto/`. Defaults are left out, as Go leaves them out: the encoder here would write them. */
export type Message = Record<string, unknown>;

function sparse(message: Message): Message {
  return Object.fromEntries(
    Object.entries(message).filter(
      ([, value]) =>
        value !== undefined &&
        value !== '' &&
        value !== 0 &&
        value !== false &&
        !(Array.isArray(value) && value.length === 0),
    ),
  );
}

/** `idc` and `location` have presence in v2, where the manager sends them even when they are empty. */
function place(row: { readonly idc: string; readonly location: string }, api: ApiVersion): Message {
  const { idc, location } = row;
  return api === 'v2' ? { idc, location } : sparse({ idc, location });
}

const json = (value: unknown): Buffer =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

/** `hasCluster`: with its id; a seed peer shows its schedulers without. */
export function schedulerMessage(row: SchedulerRow, api: ApiVersion, hasCluster = true): Message {
  const { id, hostname, ip, port, state, clusterId, features } = row;
  return {
    ...sparse({ id, hostname, ip, port, state, scheduler_cluster_id: hasCluster ? clusterId : 0 }),
    ...place(row, api),
    features: json(features),
  };
}

/** `hasSeedClientConfig`: v2.5 sends it in lists, not in GetScheduler. */
export function schedulerClusterMessage(row: SchedulerClusterRow, hasSeedClientConfig: boolean): Message {
  return {
    ...sparse({ id: row.id, name: row.name, bio: row.bio }),
    config: json(row.config),
    client_config: json(row.clientConfig),
    scopes: json(row.scopes),
    ...(hasSeedClientConfig ? { seed_client_config: json(row.seedClientConfig) } : {}),
  };
}

export function seedPeerMessage(row: SeedPeerRow, api: ApiVersion): Message {
  return {
    ...sparse({
      id: row.id,
      hostname: row.hostname,
      type: row.type,
      ip: row.ip,
      port: row.port,
      download_port: row.downloadPort,
      state: row.state,
      seed_peer_cluster_id: row.clusterId,
      object_storage_port: api === 'v1' ? row.objectStoragePort : 0,
    }),
    ...place(row, api),
  };
}

/** `hasConfig`: not in ListSeedPeers. */
export function seedPeerClusterMessage(row: SeedPeerClusterRow, hasConfig = true): Message {
  return {
    ...sparse({ id: row.id, name: row.name, bio: row.bio }),
    ...(hasConfig ? { config: json(row.config) } : {}),
  };
}

export function applicationMessage(row: ApplicationRow): Message {
  const { id, name, url, bio, priority } = row;
  return {
    ...sparse({ id, name, url, bio }),
    priority: sparse({
      value: priority?.value ?? 0,
      urls: priority?.urls.map(({ regex, value }) => sparse({ regex, value })) ?? [],
    }),
  };
}
