import { isIP } from 'node:net';

/**
 * Which names in a certificate (its subject alternative names) are meant. A `*` stands for a whole part: for one or more where the
 * name is open (the first label of a DNS name, the last part of a URI's path), else for exactly one. Plain data, so that two
 * configurations can be compared.
 */
export type NamePattern = { readonly text: string } & (
  | { readonly kind: 'any' }
  | { readonly kind: 'no-certificate' }
  | { readonly kind: 'dns'; readonly labels: readonly string[] }
  | { readonly kind: 'uri'; readonly parts: readonly string[] }
  | { readonly kind: 'email'; readonly local: string; readonly domain: string }
  | { readonly kind: 'ip'; readonly address: string; readonly prefix: number }
);

const NO_CERTIFICATE = '(none)';

const LABEL = /^(?:\*|[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)$/;
/** "spiffe:", "", "authority": a `*` is not for these. */
const BEFORE_PATH = 3;

/** Reads one. Throws an Error that says what is wrong with it. */
export function parseNamePattern(text: string): NamePattern {
  if (text === '*') return { text, kind: 'any' };
  if (text === NO_CERTIFICATE) return { text, kind: 'no-certificate' };
  const [address = '', prefix, ...more] = text.split('/');
  if (isIP(address) !== 0 && more.length === 0) return ipPattern(text, address, prefix);
  if (text.includes('://') || /^urn:/i.test(text)) return uriPattern(text);
  if (text.includes('@')) return emailPattern(text);
  return { text, kind: 'dns', labels: dnsLabels(text) };
}

function ipPattern(text: string, address: string, prefix: string | undefined): NamePattern {
  const longest = isIP(address) === 4 ? 32 : 128;
  const length = prefix === undefined ? longest : Number(prefix);
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || length > longest))
    throw new Error(`no block of addresses: the length is 0 to ${longest}`);
  return { text, kind: 'ip', address, prefix: length };
}

function uriPattern(text: string): NamePattern {
  const parts = uriParts(text);
  if (/\s/.test(text)) throw new Error('there is a blank in it');
  checkStars(parts, 'part of the path');
  if (parts.slice(0, BEFORE_PATH).includes('*')) throw new Error('a * stands for a part of the path only');
  return { text, kind: 'uri', parts };
}

function emailPattern(text: string): NamePattern {
  const at = text.lastIndexOf('@');
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  if (local === '') throw new Error('nothing stands before the @');
  if (local.includes('*') && local !== '*') throw new Error('a * stands for all that is before the @');
  const labels = dnsLabels(domain);
  if (labels.includes('*')) throw new Error('a * stands for all that is before the @');
  return { text, kind: 'email', local, domain: labels.join('.') };
}

/** Labels as they are compared: case aside, and without the root's dot. Throws an Error if it is no DNS name. */
function dnsLabels(text: string): readonly string[] {
  const labels = partsOfName(text);
  checkStars(labels, 'label');
  if (!labels.every((label) => LABEL.test(label))) throw new Error('it is no DNS name, URI, IP or e-mail');
  if (labels.every((label) => label === '*')) throw new Error('not every label can be *');
  return labels;
}

/** Any DNS name of a certificate, by its labels. */
export function partsOfName(name: string): readonly string[] {
  return plainName(name).split('.');
}

/** A DNS name as it is compared: case aside, and without the root's dot. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** Scheme and authority case aside (RFC 3986 §6.2.2.1), the path as it stands. */
export function uriParts(uri: string): readonly string[] {
  return uri.split('/').map((part, index) => (index < BEFORE_PATH ? part.toLowerCase() : part));
}

function checkStars(parts: readonly string[], what: string): void {
  if (parts.some((part) => part.includes('*') && part !== '*'))
    throw new Error(`a * stands for a whole ${what}`);
}
