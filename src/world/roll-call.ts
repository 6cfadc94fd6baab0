import { GatewayError } from '../errors.js';
import type { Answer } from '../rpc/answer.js';
import { freshIp } from '../rpc/fresh-ip.js';
import type { Status } from '../rpc/status.js';
import { type Decode, type Facts, factsOf, type NodeRow } from './facts.js';

export interface RollCallOptions {
  /** Asks the manager past everything that is remembered. */
  readonly ask: (path: string, message: Buffer) => Promise<Answer>;
  readonly encode: (path: string, fields: object) => Buffer;
  readonly decode: Decode;
  readonly classify: (status: Status) => unknown;
  readonly random: () => number;
}

/** A node that was asked for, and the row that the manager has for it now; undefined: none. */
export interface Called {
  readonly node: NodeRow;
  readonly row: { readonly id: string } | undefined;
}

export type RollCall =
  | { readonly kind: 'nobody-knows' }
  | {
      readonly kind: 'called';
      readonly called: readonly Called[];
      readonly noCluster: boolean;
      /** What the rows say, all of them. */
      readonly facts: readonly Facts[];
    };

/** Asks for the rows themselves: a node that is inactive has one, a node of another world has none. */
export async function callTheRoll(
  options: RollCallOptions,
  nodes: readonly NodeRow[],
  clusterIds: readonly string[],
): Promise<RollCall> {
  const ip = freshIp(options.random);
  const [rows, clusters] = await Promise.all([
    Promise.all(nodes.map((node) => ask(options, ...rowOf(node, ip)))),
    // v2.5 says "record not found" of a cluster that it does not have; v2.1.55 does not look at the id.
    Promise.all(
      clusterIds.map((scheduler_cluster_id) =>
        ask(options, 'ListSchedulers', { hostname: 'manager-gateway', ip, scheduler_cluster_id }),
      ),
    ),
  ]);
  const facts = [...rows, ...clusters].filter((one) => one !== undefined);
  if (facts.length < rows.length + clusters.length) return { kind: 'nobody-knows' };
  const called = nodes.map((node, index) => {
    const shown = rows[index];
    return { node, row: shown?.notFound ? undefined : { id: shown?.nodes[0]?.id ?? '' } };
  });
  const noCluster = clusters.length > 0 && clusters.every((shown) => shown?.notFound);
  return { kind: 'called', called, noCluster, facts };
}

/** undefined: the manager did not say. */
async function ask(
  options: RollCallOptions,
  method: 'GetScheduler' | 'GetSeedPeer' | 'ListSchedulers',
  fields: object,
): Promise<Facts | undefined> {
  const path = `/manager.v2.Manager/${method}`;
  try {
    const { reply } = await options.ask(path, options.encode(path, fields));
    if (options.classify(reply.status) !== undefined) return undefined;
    return factsOf({ path, method }, reply, options.decode);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

function rowOf({ kind, clusterId, hostname }: NodeRow, ip: string): ['GetScheduler' | 'GetSeedPeer', object] {
  return kind === 'scheduler'
    ? ['GetScheduler', { hostname, scheduler_cluster_id: clusterId, ip }]
    : ['GetSeedPeer', { source_type: 'SEED_PEER_SOURCE', hostname, seed_peer_cluster_id: clusterId, ip }];
}
