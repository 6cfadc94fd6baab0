import { Code } from '../../rpc/status.js';
import { type Answerer, type Ask, nodeKey } from './answerer.js';
import { activeSeedPeers } from './list-schedulers.js';
import type { ManagerRecord, NodeName } from './manager-record.js';
import {
  applicationMessage,
  schedulerClusterMessage,
  schedulerMessage,
  seedPeerClusterMessage,
  seedPeerMessage,
} from './messages.js';
import { Refusal, recordNotFound } from './refusal.js';
import type { NodeKind } from './rows.js';
import { number, text } from './validation.js';

function askedNode(ask: Ask, kind: NodeKind): NodeName {
  const clusterField = kind === 'scheduler' ? 'scheduler_cluster_id' : 'seed_peer_cluster_id';
  return {
    kind,
    clusterId: number(ask.fields, clusterField),
    hostname: text(ask.fields, 'hostname'),
    ip: text(ask.fields, 'ip'),
  };
}

/** The oldest row of that hostname, whatever its ip: the ip counts in the cache's key only. */
export const getScheduler: Answerer = async (parts, ask) => {
  const node = askedNode(ask, 'scheduler');
  return parts.stores.answer(ask.asking, nodeKey(ask.api, node), async () => {
    const found = await parts.stores.read(ask.asking, oldestRow(node), () => {
      const row = parts.record.findScheduler({ ...node, ip: '' });
      const cluster = parts.record.schedulerClusters.find(({ id }) => id === row?.clusterId);
      return { row, cluster, seedPeers: cluster === undefined ? [] : activeSeedPeers(parts.record, cluster) };
    });
    if (found.row === undefined) throw recordNotFound();
    return ask.encode({
      ...schedulerMessage(found.row, ask.api),
      scheduler_cluster: found.cluster === undefined ? {} : schedulerClusterMessage(found.cluster, false),
      seed_peers: found.seedPeers.map(({ row, cluster }) => ({
        ...seedPeerMessage(row, ask.api),
        seed_peer_cluster: seedPeerClusterMessage(cluster),
      })),
    });
  });
};

export const getSeedPeer: Answerer = async (parts, ask) => {
  const node = askedNode(ask, 'seed-peer');
  return parts.stores.answer(ask.asking, nodeKey(ask.api, node), async () => {
    const found = await parts.stores.read(ask.asking, oldestRow(node), () => {
      const row = parts.record.findSeedPeer({ ...node, ip: '' });
      const cluster = parts.record.seedPeerClusters.find(({ id }) => id === row?.clusterId);
      return {
        row,
        cluster,
        schedulers: cluster === undefined ? [] : activeSchedulers(parts.record, cluster.id),
      };
    });
    if (found.row === undefined) throw recordNotFound();
    return ask.encode({
      ...seedPeerMessage(found.row, ask.api),
      seed_peer_cluster: found.cluster === undefined ? {} : seedPeerClusterMessage(found.cluster),
      schedulers: found.schedulers.map((row) => schedulerMessage(row, ask.api, false)),
    });
  });
};

function oldestRow({ kind, clusterId, hostname }: NodeName): string {
  return JSON.stringify([kind, clusterId, hostname]);
}

function activeSchedulers(record: ManagerRecord, seedPeerClusterId: number) {
  const clusterIds = record.schedulerClusters
    .filter((cluster) => cluster.seedPeerClusterIds.includes(seedPeerClusterId))
    .map(({ id }) => id);
  return record.schedulers.filter((row) => clusterIds.includes(row.clusterId) && row.state === 'active');
}

/** Only a seed peer is told of the active ones of its cluster. */
export const listSeedPeers: Answerer = async (parts, ask) => {
  const hostname = text(ask.fields, 'hostname');
  const ip = text(ask.fields, 'ip');
  const key = JSON.stringify([ask.api, 'seed-peers', hostname, ip]);
  return parts.stores.answer(ask.asking, key, async () => {
    const found = await parts.stores.read(ask.asking, `seed peers of ${hostname} ${ip}`, () => {
      const caller = parts.record.seedPeers.find((row) => row.hostname === hostname && row.ip === ip);
      const cluster = parts.record.seedPeerClusters.find(({ id }) => id === caller?.clusterId);
      const isListed = (row: { clusterId: number; state: string }): boolean =>
        row.clusterId === caller?.clusterId && row.state === 'active';
      return { caller, cluster, rows: parts.record.seedPeers.filter(isListed) };
    });
    if (found.caller === undefined) throw recordNotFound();
    if (found.rows.length === 0) throw new Refusal(Code.NOT_FOUND, 'seed peer not found');
    const seedPeerCluster = found.cluster === undefined ? {} : seedPeerClusterMessage(found.cluster, false);
    return ask.encode({
      seed_peers: found.rows.map((row) => ({
        ...seedPeerMessage(row, ask.api),
        seed_peer_cluster: seedPeerCluster,
      })),
    });
  });
};

export const listApplications: Answerer = async (parts, ask) => {
  return parts.stores.answer(ask.asking, JSON.stringify([ask.api, 'applications']), async () => {
    const rows = await parts.stores.read(ask.asking, 'applications', () => parts.record.applications);
    const applications = rows.filter((row) => row.priority !== undefined);
    // Never cached: this is the "cache miss" warning that people see every few seconds.
    if (applications.length === 0) throw new Refusal(Code.NOT_FOUND, 'application not found');
    return ask.encode({ applications: applications.map(applicationMessage) });
  });
};

/** From the manager's configuration: no database, no cache. */
export const getObjectStorage: Answerer = async ({ record: { objectStorage } }, ask) => {
  if (objectStorage === undefined) throw new Refusal(Code.INTERNAL, 'object storage is disabled');
  const { name, region, endpoint, accessKey, secretKey, s3ForcePathStyle, scheme } = objectStorage;
  return ask.encode({
    name,
    region,
    endpoint,
    access_key: accessKey,
    secret_key: secretKey,
    ...(s3ForcePathStyle ? { s3_force_path_style: true } : {}),
    scheme,
  });
};

export const listBuckets: Answerer = async ({ record: { objectStorage } }, ask) => {
  if (objectStorage === undefined) throw new Refusal(Code.INTERNAL, 'object storage is disabled');
  return ask.encode({ buckets: objectStorage.buckets.map((name) => ({ name })) });
};
