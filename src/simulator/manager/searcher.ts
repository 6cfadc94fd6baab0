import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { Scopes } from './rows.js';

/** What the searcher looks at: what the node says of itself. */
export type SearchingCaller = {
  readonly hostname: string;
  readonly ip: string;
  readonly idc: string;
  readonly location: string;
};

/**
 * How much each kind of match counts, of 1 (source: Dragonfly's default searcher, the same in v2.1.55 and v2.5.1;
 * confirmed by the recorded orders).
 */
const WEIGHT = { cidr: 0.3, hostname: 0.3, idc: 0.25, location: 0.14, defaultCluster: 0.01 } as const;

/** A location is compared element by element, no more than this many, and counts by the fifth. */
const LOCATION_ELEMENTS = 5;

/** Clusters, best match first; equals stay in the order of their rows. */
export function orderClusters<C extends { readonly scopes: Scopes; readonly isDefault: boolean }>(
  clusters: readonly C[],
  caller: SearchingCaller,
): C[] {
  return clusters
    .map((cluster) => ({ cluster, score: score(cluster, caller) }))
    .sort((a, b) => b.score - a.score)
    .map(({ cluster }) => cluster);
}

function score(cluster: { scopes: Scopes; isDefault: boolean }, caller: SearchingCaller): number {
  const { scopes, isDefault } = cluster;
  // The order of the additions is the searcher's: with floats, equal sums depend on it.
  return (
    WEIGHT.cidr * Number(matchesCidr(caller.ip, scopes.cidrs ?? [])) +
    WEIGHT.hostname * Number(matchesHostname(caller.hostname, scopes.hostnames ?? [])) +
    WEIGHT.idc * Number(matchesIdc(caller.idc, scopes.idc ?? '')) +
    WEIGHT.location * locationShare(caller.location, scopes.location ?? '') +
    WEIGHT.defaultCluster * Number(isDefault)
  );
}

function matchesCidr(ip: string, cidrs: readonly string[]): boolean {
  const address = ip.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
  if (family === undefined) return false;
  const blocks = new BlockList();
  for (const cidr of cidrs) addBlock(blocks, cidr);
  return blocks.check(address, family);
}

/** A block that cannot be read counts for nothing; the manager only logs it. */
function addBlock(blocks: BlockList, cidr: string): void {
  const [, network = '', bits = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(cidr) ?? [];
  if (isIPv4(network) && Number(bits) <= 32) blocks.addSubnet(network, Number(bits), 'ipv4');
  if (isIPv6(network) && Number(bits) <= 128) blocks.addSubnet(network, Number(bits), 'ipv6');
}

function matchesHostname(hostname: string, patterns: readonly string[]): boolean {
  return hostname !== '' && patterns.some((pattern) => compile(pattern)?.test(hostname) === true);
}

/** Go's expressions are close enough to ours for host names, but for the leading flag. */
function compile(pattern: string): RegExp | undefined {
  try {
    return pattern.startsWith('(?i)') ? new RegExp(pattern.slice(4), 'i') : new RegExp(pattern);
  } catch {
    // As with a block: what cannot be read matches nothing.
    return undefined;
  }
}

const sameText = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function matchesIdc(idc: string, scope: string): boolean {
  if (idc === '' || scope === '') return false;
  return sameText(idc, scope) || scope.split('|').some((element) => sameText(idc, element));
}

/** 0 to 1: all of it, or a fifth for each leading element in common. */
function locationShare(location: string, scope: string): number {
  if (location === '' || scope === '') return 0;
  if (sameText(location, scope)) return 1;
  const wanted = scope.split('|');
  const given = location.split('|').slice(0, Math.min(wanted.length, LOCATION_ELEMENTS));
  const firstOther = given.findIndex((element, index) => !sameText(element, wanted[index] ?? ''));
  return (firstOther === -1 ? given.length : firstOther) / LOCATION_ELEMENTS;
}
