import { decodeResponse, loadServiceDefinitions } from '../../route/proto.js';
import type { Identity } from './identity.js';

export type ManagerApi = 'manager.v2.Manager' | 'manager.Manager';

/** One request, ready to be sent. `label` is the method's bare name. */
export interface Message {
  readonly path: string;
  readonly label: string;
  readonly bytes: Buffer;
}

type Fields = Record<string, unknown>;

function message(service: ManagerApi | 'grpc.health.v1.Health', label: string, fields: Fields): Message {
  const method = loadServiceDefinitions()[service][label];
  if (method === undefined) throw new Error(`no method ${service}/${label} in proto/`);
  return { path: method.path, label, bytes: method.requestSerialize(fields) };
}

/** `""`: the server as a whole, the only thing daemons ask. */
export function healthCheck(): Message {
  return message('grpc.health.v1.Health', 'Check', { service: '' });
}

export function isServing(body: Buffer | undefined): boolean {
  return body !== undefined && decodeResponse('/grpc.health.v1.Health/Check', body).status === 'SERVING';
}

/** v2 asks with fields of its own for where the node is, v1 with a map. Cluster id 0: the searcher decides. */
export function listSchedulers(api: ManagerApi, who: Identity): Message {
  const common = { source_type: sourceType(who), hostname: who.hostname, ip: who.ip, commit: 'abc1234' };
  const place = { idc: who.idc, location: who.location };
  const fields =
    api === 'manager.v2.Manager'
      ? { ...common, ...place, version: 'v1.5.1' }
      : { ...common, host_info: place, version: 'v2.1.55' };
  return message(api, 'ListSchedulers', fields);
}

/** How many schedulers an answer names. */
export function schedulerCount(asked: Message, body: Buffer | undefined): number {
  if (body === undefined) return 0;
  const { schedulers } = decodeResponse(asked.path, body);
  return Array.isArray(schedulers) ? schedulers.length : 0;
}

export function getScheduler(who: Identity): Message {
  return message('manager.v2.Manager', 'GetScheduler', {
    source_type: sourceType(who),
    hostname: who.hostname,
    scheduler_cluster_id: who.clusterId,
    ip: who.ip,
  });
}

export function listApplications(who: Identity): Message {
  const { hostname, ip } = who;
  return message('manager.v2.Manager', 'ListApplications', { source_type: sourceType(who), hostname, ip });
}

export function updateScheduler(who: Identity): Message {
  return message('manager.v2.Manager', 'UpdateScheduler', {
    source_type: sourceType(who),
    hostname: who.hostname,
    scheduler_cluster_id: who.clusterId,
    idc: who.idc,
    location: who.location,
    ip: who.ip,
    port: 8002,
    features: ['schedule', 'preheat'],
  });
}

export function updateSeedPeer(who: Identity): Message {
  return message('manager.Manager', 'UpdateSeedPeer', {
    source_type: sourceType(who),
    hostname: who.hostname,
    type: 'super',
    idc: who.idc,
    location: who.location,
    ip: who.ip,
    port: 65006,
    download_port: 65008,
    object_storage_port: 65004,
    seed_peer_cluster_id: who.clusterId,
  });
}

export function listSeedPeers(who: Identity): Message {
  const { hostname, ip } = who;
  return message('manager.Manager', 'ListSeedPeers', {
    source_type: sourceType(who),
    hostname,
    ip,
    version: 'v2.1.55',
    commit: 'abc1234',
  });
}

export function keepAlive(
  api: ManagerApi,
  who: Pick<Identity, 'kind' | 'hostname' | 'clusterId' | 'ip'>,
): Message {
  return message(api, 'KeepAlive', {
    source_type: sourceType(who),
    hostname: who.hostname,
    cluster_id: who.clusterId,
    ip: who.ip,
  });
}

function sourceType(who: Pick<Identity, 'kind'>): string {
  switch (who.kind) {
    case 'scheduler':
      return 'SCHEDULER_SOURCE';
    case 'seed-peer':
      return 'SEED_PEER_SOURCE';
    case 'rust-daemon':
    case 'go-daemon':
      return 'PEER_SOURCE';
    default:
      return who.kind satisfies never;
  }
}
