import { METHOD_GROUPS } from '../config/client-rule.js';
import type { CertificateNames } from '../rpc/client.js';
import type { Subject } from './about-itself.js';

const MOST_NAMES = 5;
const MOST_LETTERS = 120;

/** What a caller is told, and the log says, of a call that no rule allows. */
export function refusalOf(
  path: string,
  names: CertificateNames | undefined,
  rules: readonly string[],
): string {
  const who = shownNames(names);
  const what = short(path.slice(1));
  if (rules.length === 0) {
    return `server.clients: no rule is for ${who}, which wants ${what}; one with such a name in its certificates, and ${methodsFor(path)} in its methods, is missing in server.clients.rules`;
  }
  const matching =
    rules.length === 1 ? `the rule for it (${rules[0]})` : `no rule for it (${rules.join(', ')})`;
  const has = rules.length === 1 ? 'does not have that' : 'has that';
  return `server.clients: ${who} wants ${what}, and ${matching} ${has}; ${methodsFor(path)} is missing in the methods of one of server.clients.rules`;
}

/** Of a write about somebody else; `subject` undefined: it cannot be read. */
export function strangerOf(
  path: string,
  names: CertificateNames | undefined,
  rule: string,
  subject: Subject | undefined,
): string {
  const about =
    subject === undefined
      ? 'which cannot be read'
      : `which is about hostname ${quoted(subject.hostname)}, ip ${quoted(subject.ip)}`;
  return `server.clients: ${shownNames(names)} wants ${short(path.slice(1))}, ${about}; the rule for it (${rule}) has onlyItself, and without it one is missing in server.clients.rules`;
}

export function shownNames(names: CertificateNames | undefined): string {
  if (names === undefined) return 'a caller without a certificate';
  const all = [
    ...names.dns.map((name) => `DNS:${name}`),
    ...names.uris.map((uri) => `URI:${uri}`),
    ...names.ips.map((ip) => `IP:${ip}`),
    ...names.emails.map((email) => `email:${email}`),
  ];
  if (all.length === 0) return 'a certificate without a subject alternative name';
  const more = all.length > MOST_NAMES ? `, and ${all.length - MOST_NAMES} more` : '';
  return `the certificate of ${all.slice(0, MOST_NAMES).map(short).join(', ')}${more}`;
}

function methodsFor(path: string): string {
  const method = path.slice(path.lastIndexOf('/') + 1);
  const group = Object.entries(METHOD_GROUPS).find(([, names]) =>
    (names as readonly string[]).includes(method),
  );
  return group === undefined ? `"${short(path)}"` : `"${group[0]}" or "${method}"`;
}

function quoted(text: string): string {
  return JSON.stringify(short(text));
}

function short(text: string): string {
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
}
