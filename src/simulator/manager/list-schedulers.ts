import { Code } from '../../rpc/status.js';
import type { Answerer, Ask, ManagerParts } from './answerer.js';
import type { ManagerRecord } from './manager-record.js';
import {
  type Message,
  schedulerClusterMessage,
  schedulerMessage,
  seedPeerClusterMessage,
  seedPeerMessage,
} from './messages.js';
import { Refusal } from './refusal.js';
import type { SchedulerClusterRow, SchedulerRow, SeedPeerClusterRow, SeedPeerRow } from './rows.js';
import { orderClusters, type SearchingCaller } from './searcher.js';
import { number, text } from './validation.js';

/** A cluster with what the searcher's query brings along with it: active nodes only. */
type FoundCluster = SchedulerClusterRow & {
  readonly schedulers: readonly SchedulerRow[];
  readonly seedPeers: readonly { readonly row: SeedPeerRow; readonly cluster: SeedPeerClusterRow }[];
};

export const listSchedulers: Answerer = async (parts, ask) => {
  if (parts.faults.get('empty-lists') !== undefined) return ask.encode({});
  // v2.1.55 does not know the field: what it does not know it does not see.
  const clusterId = parts.version === 'v2.5.1' ? number(ask.fields, 'scheduler_cluster_id') : 0;
  return clusterId === 0 ? listBySearcher(parts, ask) : listByCluster(parts, ask, clusterId);
};

const isFilled = (answer: Buffer): boolean => answer.length > 0;

/** Kept per caller, as it names itself, and in v2.5 by its version: not by idc or location (source). */
function listBySearcher(parts: ManagerParts, ask: Ask): Promise<Buffer> {
  const { fields } = ask;
  const caller = searchingCaller(ask);
  const version = parts.version === 'v2.5.1' ? text(fields, 'version') : '';
  const key = JSON.stringify([ask.api, 'schedulers', caller.hostname, caller.ip, version]);
  const make = async (): Promise<Buffer> => {
    const found = await parts.stores.read(ask.asking, 'clusters', () => activeClusters(parts.record));
    const schedulers = orderClusters(found, caller).flatMap((cluster) =>
      cluster.schedulers.map((row) => listedScheduler(parts, ask, cluster, row)),
    );
    return ask.encode({ schedulers });
  };
  return parts.stores.answer(ask.asking, key, make, isFilled);
}

function searchingCaller({ api, fields }: Ask): SearchingCaller {
  const hostname = text(fields, 'hostname');
  const ip = text(fields, 'ip');
  // v1 says it in a map, which the decoder gives as an object.
  const said = api === 'v2' ? fields : ((fields.host_info ?? {}) as Record<string, unknown>);
  return { hostname, ip, idc: text(said, 'idc'), location: text(said, 'location') };
}

function activeClusters(record: ManagerRecord): FoundCluster[] {
  const found = record.schedulerClusters.map((cluster) => ({
    ...cluster,
    schedulers: record.schedulers.filter(
      (row) => row.clusterId === cluster.id && row.state === 'active' && row.features.includes('schedule'),
    ),
    seedPeers: activeSeedPeers(record, cluster),
  }));
  return found.filter((cluster) => cluster.schedulers.length > 0);
}

/** The active seed peers that serve a scheduler cluster, each with its own cluster. */
export function activeSeedPeers(
  record: ManagerRecord,
  cluster: SchedulerClusterRow,
): { row: SeedPeerRow; cluster: SeedPeerClusterRow }[] {
  return record.seedPeerClusters
    .filter(({ id }) => cluster.seedPeerClusterIds.includes(id))
    .flatMap((own) =>
      record.seedPeers
        .filter((row) => row.clusterId === own.id && row.state === 'active')
        .map((row) => ({ row, cluster: own })),
    );
}

function listedScheduler(
  { version }: ManagerParts,
  { api }: Ask,
  cluster: FoundCluster,
  row: SchedulerRow,
): Message {
  // As recorded: v1 shows no clusters at all, and v2.1.55 not those of the schedulers.
  const hasCluster = api === 'v2' && version === 'v2.5.1';
  return {
    ...schedulerMessage(row, api),
    ...(hasCluster ? { scheduler_cluster: schedulerClusterMessage(cluster, true) } : {}),
    seed_peers: cluster.seedPeers.map((seedPeer) => ({
      ...seedPeerMessage(seedPeer.row, api),
      ...(api === 'v2' ? { seed_peer_cluster: seedPeerClusterMessage(seedPeer.cluster) } : {}),
    })),
  };
}

/** v2.5: everybody of one cluster, inactive ones too; the same for whoever asks, and kept so. */
function listByCluster(parts: ManagerParts, ask: Ask, clusterId: number): Promise<Buffer> {
  const key = JSON.stringify([ask.api, 'schedulers-of-cluster', clusterId]);
  const make = async (): Promise<Buffer> => {
    const found = await parts.stores.read(ask.asking, `schedulers of cluster ${clusterId}`, () => ({
      cluster: parts.record.schedulerClusters.find(({ id }) => id === clusterId),
      schedulers: parts.record.schedulers.filter((row) => row.clusterId === clusterId),
    }));
    const { cluster } = found;
    // An error that the manager hands on as it is: grpc-go makes it UNKNOWN.
    if (cluster === undefined) throw new Refusal(Code.UNKNOWN, 'record not found');
    const schedulers = found.schedulers.map((row) => ({
      ...schedulerMessage(row, ask.api),
      scheduler_cluster: schedulerClusterMessage(cluster, true),
    }));
    return ask.encode({ schedulers });
  };
  return parts.stores.answer(ask.asking, key, make, isFilled);
}
