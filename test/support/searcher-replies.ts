import { decodeRequest, decodeResponse } from '../../src/route/proto.js';
import type { Reply, UnaryRequest } from '../../src/rpc/call.js';
import type { Scopes } from '../../src/simulator/manager/rows.js';
import { orderClusters, type SearchingCaller } from '../../src/simulator/manager/searcher.js';
import { responseOf } from './data-path.js';
import { ok } from './scripted-upstream.js';

export const LIST = '/manager.v2.Manager/ListSchedulers';

/** A cluster with active schedulers; `scopes` as text where it is not what it should be. */
export type World = readonly {
  readonly id: number;
  readonly name: string;
  readonly scopes: Scopes;
  readonly scopesText?: string;
  readonly isDefault: boolean;
  readonly schedulers: number;
}[];

/** What v2.5 answers this caller in this world, asked directly. */
export function directAnswer(world: World, caller: SearchingCaller): Buffer {
  const schedulers = orderClusters(world, caller).flatMap((cluster) =>
    Array.from({ length: cluster.schedulers }, (_, index) => ({
      hostname: `${cluster.name}-s${index}`,
      scheduler_cluster_id: cluster.id,
      scheduler_cluster: {
        id: cluster.id,
        name: cluster.name,
        scopes: Buffer.from(cluster.scopesText ?? JSON.stringify(cluster.scopes)),
      },
    })),
  );
  return responseOf(LIST, { schedulers });
}

export function callerOf(request: Pick<UnaryRequest, 'message'>): SearchingCaller {
  const { hostname, ip, idc, location } = decodeRequest(LIST, request.message) as Record<string, string>;
  return { hostname: hostname ?? '', ip: ip ?? '', idc: idc ?? '', location: location ?? '' };
}

/** A manager whose searcher sees `world()`. */
export function searching(world: () => World): (request: UnaryRequest) => Reply {
  return (request) => ok(directAnswer(world(), callerOf(request)));
}

export function hostnamesIn(message: Buffer | undefined): string[] {
  const { schedulers } = decodeResponse(LIST, message ?? Buffer.alloc(0)) as {
    schedulers: { hostname: string }[];
  };
  return schedulers.map(({ hostname }) => hostname);
}
