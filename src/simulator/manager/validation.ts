import { isIP } from 'node:net';
import { Code } from '../../rpc/status.js';
import { Refusal } from './refusal.js';

/** Decoded by the names in `proto/`. */
export type Fields = Readonly<Record<string, unknown>>;

/** Text of a field; "" where it is absent. */
export function text(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

/** Number of a field, 64-bit ones included; 0 where it is absent. */
export function number(fields: Fields, name: string): number {
  return Number(fields[name] ?? 0);
}

/** Messages whose `ip` may be left out. */
const IP_OPTIONAL = /^(Get\w+|DeleteSeedPeer|KeepAlive)Request$/;
/** Cluster ids that must be set; that of ListSchedulers may be 0. */
const CLUSTER_FIELDS = [
  ['scheduler_cluster_id', 'SchedulerClusterId'],
  ['seed_peer_cluster_id', 'SeedPeerClusterId'],
  ['cluster_id', 'ClusterId'],
] as const;

/**
 * Refuses what the manager's generated validators refuse, in their words: the first fault in the order of the fields.
 * Only the fields that callers get wrong are looked at: hostname, cluster id, ip, port.
 */
export function validate(message: string, fields: Fields): void {
  const wrong = (field: string, reason: string): Refusal =>
    new Refusal(Code.INVALID_ARGUMENT, `invalid ${message}.${field}: ${reason}`);

  const hostnameFault = faultOfHostname(text(fields, 'hostname'));
  if ('hostname' in fields && hostnameFault !== undefined) {
    throw wrong('Hostname', `value must be a valid hostname | caused by: ${hostnameFault}`);
  }
  for (const [name, field] of CLUSTER_FIELDS) {
    if (name in fields && message !== 'ListSchedulersRequest' && number(fields, name) < 1) {
      throw wrong(field, 'value must be greater than or equal to 1');
    }
  }
  const ip = text(fields, 'ip');
  if ('ip' in fields && isIP(ip) === 0 && !(ip === '' && IP_OPTIONAL.test(message))) {
    throw wrong('Ip', 'value must be a valid IP address');
  }
  const port = number(fields, 'port');
  if ('port' in fields && (port < 1024 || port >= 65535)) {
    throw wrong('Port', 'value must be inside range [1024, 65535)');
  }
}

/** In the order in which the validator finds out. */
function faultOfHostname(hostname: string): string | undefined {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  if (name.length > 253) return 'hostname cannot exceed 253 characters';
  for (const part of name.split('.')) {
    if (part.length === 0 || part.length > 63) {
      return 'hostname part must be non-empty and cannot exceed 63 characters';
    }
    if (part.startsWith('-')) return 'hostname parts cannot begin with hyphens';
    if (part.endsWith('-')) return 'hostname parts cannot end with hyphens';
    const strange = /[^a-z0-9-]/u.exec(part);
    if (strange !== null) {
      return `hostname parts can only contain alphanumeric characters or hyphens, got ${JSON.stringify(strange[0])}`;
    }
  }
  return undefined;
}
