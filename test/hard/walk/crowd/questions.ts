import { encodeRequest } from '../../../../src/route/proto.js';
import type { NodeName } from '../../../../src/simulator/manager/manager-record.js';

export interface Asked {
  readonly path: string;
  readonly request: Buffer;
  /** Now and then, so that what is remembered has become old. */
  readonly seldom?: boolean;
}

const V2 = '/manager.v2.Manager/';
const V1 = '/manager.Manager/';
const PLACES = [
  { idc: 'idc-1', location: 'asia|cn' },
  { idc: 'idc-2', location: 'europe|de' },
  { idc: 'IDC-1', location: 'asia|cn' },
  { idc: '', location: '' },
] as const;
const OF_TEN = 10;

/** What the n-th caller asks all the time. Of ten six ask the searcher, one a cluster, one as v1 does, one about a node, and one for applications. */
export function questionOf(nth: number, nodes: readonly NodeName[]): Asked {
  const who = { source_type: 'PEER_SOURCE', hostname: `daemon-${nth}`, ip: `10.9.${nth >> 8}.${nth & 255}` };
  const place = PLACES[Math.floor(nth / OF_TEN) % PLACES.length] ?? PLACES[0];
  const node = nodes[nth % nodes.length] as NodeName;
  const seldom = Math.floor(nth / OF_TEN) % 2 === 0;
  switch (nth % OF_TEN) {
    case 6:
      return asked(`${V2}ListSchedulers`, { ...who, ...place, scheduler_cluster_id: 1 + ((nth >> 4) % 2) });
    case 7:
      return { ...asked(`${V1}ListSchedulers`, { ...who, host_info: place }), seldom };
    case 8:
      return { ...aboutNode(node), seldom };
    case 9:
      return asked(`${nth % 20 === 9 ? V1 : V2}ListApplications`, { ...who });
    default:
      return asked(`${V2}ListSchedulers`, { ...who, ...place });
  }
}

function aboutNode({ kind, clusterId, hostname, ip }: NodeName): Asked {
  if (kind === 'scheduler')
    return asked(`${V2}GetScheduler`, {
      source_type: 'SCHEDULER_SOURCE',
      ...{ hostname, ip, scheduler_cluster_id: clusterId },
    });
  const source_type = 'SEED_PEER_SOURCE';
  if (Number(hostname.split('-').at(-1)) % 2 === 0)
    return asked(`${V2}ListSeedPeers`, { source_type, hostname, ip });
  return asked(`${V2}GetSeedPeer`, { source_type, hostname, ip, seed_peer_cluster_id: clusterId });
}

function asked(path: string, fields: object): Asked {
  return { path, request: encodeRequest(path, fields as Record<string, unknown>) };
}
