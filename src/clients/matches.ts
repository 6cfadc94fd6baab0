import { BlockList, isIP } from 'node:net';
import { type NamePattern, partsOfName, plainName, uriParts } from '../config/name-pattern.js';
import type { CertificateNames } from '../rpc/client.js';

/** `names` undefined: no certificate was shown. */
export type Matcher = (names: CertificateNames | undefined) => boolean;

/** What looks for the names that are meant. */
export function matcherOf(pattern: NamePattern): Matcher {
  switch (pattern.kind) {
    case 'any':
      return (names) => names !== undefined;
    case 'no-certificate':
      return (names) => names === undefined;
    case 'dns':
      return one('dns', (name) => matchesDns(pattern.labels, partsOfName(name)));
    case 'uri':
      return one('uris', (uri) => matchesUri(pattern.parts, uriParts(uri)));
    case 'email':
      return one('emails', (email) => matchesEmail(pattern, email));
    case 'ip':
      return one('ips', matchesBlock(pattern));
    default:
      return pattern satisfies never;
  }
}

function one(kind: keyof CertificateNames, matches: (name: string) => boolean): Matcher {
  return (names) => names?.[kind].some(matches) ?? false;
}

/** Open to the left: the first label, if it is `*`, stands for one or more. */
function matchesDns(pattern: readonly string[], labels: readonly string[]): boolean {
  const spare = labels.length - pattern.length;
  if (spare < 0 || (spare > 0 && pattern[0] !== '*')) return false;
  if (!labels.every((label) => label !== '')) return false;
  return pattern.every((want, index) => want === '*' || want === labels[index + spare]);
}

/** Open to the right: the last part, if it is `*`, stands for one or more. */
function matchesUri(pattern: readonly string[], parts: readonly string[]): boolean {
  const spare = parts.length - pattern.length;
  if (spare < 0 || (spare > 0 && pattern.at(-1) !== '*')) return false;
  const named = (part: string | undefined): boolean => !['', '.', '..', undefined].includes(part);
  const rest = spare > 0 ? parts.slice(pattern.length) : [];
  return (
    rest.every(named) && pattern.every((want, at) => (want === '*' ? named(parts[at]) : want === parts[at]))
  );
}

/** What is before the @ counts as written (RFC 5321 §2.4). */
function matchesEmail({ local, domain }: Extract<NamePattern, { kind: 'email' }>, email: string): boolean {
  const at = email.lastIndexOf('@');
  if (at < 1 || plainName(email.slice(at + 1)) !== domain) return false;
  return local === '*' || local === email.slice(0, at);
}

function matchesBlock({ address, prefix }: Extract<NamePattern, { kind: 'ip' }>): (ip: string) => boolean {
  const family = familyOf(address);
  const block = new BlockList();
  block.addSubnet(address, prefix, family);
  // An IPv4 address within IPv6 is another name: it is in the certificate as such.
  return (ip) => isIP(ip) !== 0 && familyOf(ip) === family && block.check(ip, family);
}

function familyOf(ip: string): 'ipv4' | 'ipv6' {
  return isIP(ip) === 4 ? 'ipv4' : 'ipv6';
}
