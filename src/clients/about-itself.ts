import { isIP, SocketAddress } from 'node:net';
import { plainName } from '../config/name-pattern.js';
import type { CertificateNames } from '../rpc/client.js';

/** Of whom a write says that it is. Both are "" where it does not say. */
export interface Subject {
  readonly hostname: string;
  readonly ip: string;
}

/**
 * Is it the node that the certificate names? `hostname` must be one of its DNS names if it has any, `ip` one of its addresses if it has
 * any, and it must have either. A name with a `*` names nobody.
 */
export function isAboutItself({ dns, ips }: CertificateNames, { hostname, ip }: Subject): boolean {
  if (dns.length === 0 && ips.length === 0) return false;
  const hostnameFits = dns.length === 0 || dns.some((name) => isHost(name, hostname));
  const ipFits = ips.length === 0 || ips.some((one) => isSameIp(one, ip));
  return hostnameFits && ipFits;
}

function isHost(name: string, hostname: string): boolean {
  if (hostname === '' || name.includes('*')) return false;
  return plainName(name) === plainName(hostname);
}

function isSameIp(one: string, other: string): boolean {
  if (isIP(one) === 0 || isIP(one) !== isIP(other)) return false;
  return plain(one) === plain(other);
}

/** In one of the many ways in which an IPv6 address can be written. */
function plain(ip: string): string {
  return isIP(ip) === 4 ? ip : new SocketAddress({ address: ip, family: 'ipv6' }).address;
}
