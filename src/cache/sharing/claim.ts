import type { ResponseDecoder } from '../guard.js';
import { type Block, parseBlock } from './go-address.js';
import { readScopes, type Scopes } from './scopes.js';

/**
 * What a list of schedulers tells about on whom lists depend.
 * `open`: on idc and location at most. `blocks`: on the caller's address, too, by these blocks. `own`: on something
 * that cannot be told from here: names of hosts, scopes that are not shown or cannot be read.
 */
export type Claim =
  | { readonly kind: 'open' }
  | { readonly kind: 'blocks'; readonly blocks: ReadonlyMap<string, Block> }
  | { readonly kind: 'own'; readonly why: 'hostnames' | 'not-shown' | 'unreadable' };

export interface SeenList {
  readonly claim: Claim;
  /** Two lists with the same one show the same clusters with the same scopes. */
  readonly world: string;
  /** Ids of clusters, best match first. */
  readonly order: string;
  /** Some scheduler carries its cluster. */
  readonly withCluster: boolean;
  /** The cluster that every scheduler in it belongs to and shows; undefined: there is none such. */
  readonly onlyClusterId: string | undefined;
}

type Listed = { readonly scheduler_cluster_id?: unknown; readonly scheduler_cluster?: unknown };
type Shown = { readonly id: string; readonly scopes: Scopes | undefined };

/** `empty` says nothing about who would get the same. */
export function readList(
  path: string,
  message: Buffer,
  decoder: ResponseDecoder,
): SeenList | 'empty' | 'unreadable' {
  const schedulers = schedulersIn(path, message, decoder);
  if (schedulers === undefined) return 'unreadable';
  if (schedulers.length === 0) return 'empty';
  const shown = schedulers.map(clusterOf);
  const clusters = [...new Map(shown.map((cluster) => [JSON.stringify(cluster), cluster])).values()];
  const ids = new Set(clusters.map((cluster) => cluster?.id));
  const [onlyId] = ids;
  return {
    claim: claimOf(clusters),
    world: JSON.stringify(clusters.map((cluster) => JSON.stringify(cluster ?? null)).sort()),
    order: JSON.stringify(clusters.map((cluster) => cluster?.id ?? '')),
    withCluster: clusters.some((cluster) => cluster !== undefined),
    onlyClusterId: ids.size === 1 ? onlyId : undefined,
  };
}

function schedulersIn(
  path: string,
  message: Buffer,
  decoder: ResponseDecoder,
): readonly Listed[] | undefined {
  try {
    const { schedulers } = decoder.decodeResponse(path, message) as { schedulers?: unknown };
    return Array.isArray(schedulers) ? (schedulers as Listed[]) : [];
  } catch {
    // Such an answer is not kept either (see remember.ts).
    return undefined;
  }
}

function clusterOf(scheduler: Listed): Shown | undefined {
  const cluster = scheduler.scheduler_cluster as { id?: unknown; scopes?: unknown } | null | undefined;
  if (cluster === undefined || cluster === null) return undefined;
  const id = String(cluster.id);
  return id === '0' || id !== String(scheduler.scheduler_cluster_id)
    ? undefined
    : { id, scopes: readScopes(cluster.scopes) };
}

function claimOf(clusters: readonly (Shown | undefined)[]): Claim {
  const scopes = clusters.map((cluster) => cluster?.scopes);
  if (clusters.includes(undefined)) return { kind: 'own', why: 'not-shown' };
  if (scopes.some((own) => (own?.hostnames.length ?? 0) > 0)) return { kind: 'own', why: 'hostnames' };
  if (scopes.includes(undefined)) return { kind: 'own', why: 'unreadable' };
  const blocks = new Map<string, Block>();
  for (const text of scopes.flatMap((own) => own?.cidrs ?? [])) {
    const block = parseBlock(text);
    if (block === undefined) return { kind: 'own', why: 'unreadable' };
    blocks.set(text, block);
  }
  return blocks.size === 0 ? { kind: 'open' } : { kind: 'blocks', blocks };
}
