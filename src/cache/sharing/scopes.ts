/** What a cluster says about whom it is for. */
export interface Scopes {
  readonly idc: string;
  readonly location: string;
  readonly cidrs: readonly string[];
  readonly hostnames: readonly string[];
}

/**
 * Reads a cluster's `scopes`; undefined if they hold anything that is not known to mean what it seems to. The manager
 * reads their names with case aside (mapstructure), so names in another case are strange to us, not absent.
 */
export function readScopes(bytes: unknown): Scopes | undefined {
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
  // A Go map that is nil.
  if (value === null) return { idc: '', location: '', cidrs: [], hostnames: [] };
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  const fields = value as Record<string, unknown>;
  if (Object.keys(fields).some((name) => !KNOWN.has(name))) return undefined;
  const idc = text(fields.idc);
  const location = text(fields.location);
  const cidrs = list(fields.cidrs);
  const hostnames = list(fields.hostnames);
  if (idc === undefined || location === undefined || cidrs === undefined || hostnames === undefined)
    return undefined;
  return { idc, location, cidrs, hostnames };
}

const KNOWN = new Set(['idc', 'location', 'cidrs', 'hostnames']);

const text = (value: unknown): string | undefined =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : undefined;

function list(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return undefined;
  return value.every((item): item is string => typeof item === 'string') ? value : undefined;
}
