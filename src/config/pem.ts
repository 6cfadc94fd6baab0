import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { TlsFiles } from './config.js';
import { show } from './show.js';

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

const LONGEST_PATH = 1024;

/** Shorter than any key. */
const SHORT_PATH = 30;

/** What a PEM key turned out to hold. `found` says what is wrong, without anything of a private key in it. */
export type PemRead =
  | { readonly kind: 'pem'; readonly text: string }
  | { readonly kind: 'refused'; readonly found: string };

/** Reads a PEM key: `value` is a path, relative to the working directory, or the PEM itself; empty stays empty. */
export function readPem(value: string, holds: 'certificates' | 'key'): PemRead {
  if (value === '') return { kind: 'pem', text: '' };
  if (value.includes('-----BEGIN ')) return check(value, 'inline PEM', holds);
  if (value.includes('\n') || value.length > LONGEST_PATH) {
    return { kind: 'refused', found: 'text that is neither a path nor PEM' };
  }
  try {
    return check(readFileSync(value, 'utf8'), show(value), holds);
  } catch (error) {
    const found = looksLikePath(value) ? show(value) : 'a path';
    return { kind: 'refused', found: `${found}, which cannot be read (${reason(error)})` };
  }
}

/** A key without its first and last line is one long word, and must not be shown; base64 has no dots, and DER begins with "M". */
function looksLikePath(value: string): boolean {
  return value.startsWith('/') || value.includes('.') || value.length <= SHORT_PATH;
}

/** Is it a path, and not the PEM itself? */
export function isPemPath(value: string): boolean {
  return (
    value !== '' && !value.includes('-----BEGIN ') && !value.includes('\n') && value.length <= LONGEST_PATH
  );
}

/** Why OpenSSL would not serve with these, e.g. for a key too small for it; undefined: it would. All have been through `readPem`. */
export function objectionOfTls({ caCert, cert, key }: TlsFiles): string | undefined {
  try {
    createSecureContext({ ...(caCert && { ca: caCert }), ...(cert && key && { cert, key }) });
    return undefined;
  } catch (error) {
    return reason(error);
  }
}

/** Whether the first certificate of `cert` belongs to `key`; both have been through `readPem`. */
export function belongTogether(cert: string, key: string): boolean {
  const certificate = blocksOf(cert).find(isCertificate);
  const privateKey = blocksOf(key).find(isPrivateKey);
  if (certificate === undefined || privateKey === undefined) return false;
  return new X509Certificate(certificate.block).checkPrivateKey(createPrivateKey(privateKey.block));
}

function check(text: string, source: string, holds: 'certificates' | 'key'): PemRead {
  const blocks = blocksOf(text);
  if (blocks.length === 0) return { kind: 'refused', found: `${source}, which is not PEM` };
  try {
    return holds === 'key' ? checkKey(text, source, blocks) : checkCertificates(text, source, blocks);
  } catch (error) {
    return { kind: 'refused', found: `${source}, which does not decode (${reason(error)})` };
  }
}

type Block = { readonly block: string; readonly label: string };

function blocksOf(text: string): Block[] {
  return [...text.matchAll(BLOCK)].map(([block, label = '']) => ({ block, label }));
}

function isCertificate({ label }: Block): boolean {
  return label === 'CERTIFICATE';
}

function isPrivateKey({ label }: Block): boolean {
  return label.endsWith('PRIVATE KEY');
}

function checkKey(text: string, source: string, blocks: readonly Block[]): PemRead {
  const key = blocks.find(isPrivateKey);
  if (key === undefined) return { kind: 'refused', found: `${source}, which holds no private key` };
  createPrivateKey(key.block);
  return { kind: 'pem', text };
}

function checkCertificates(text: string, source: string, blocks: readonly Block[]): PemRead {
  const certificates = blocks.filter(isCertificate);
  if (certificates.length === 0) return { kind: 'refused', found: `${source}, which holds no certificate` };
  for (const { block } of certificates) new X509Certificate(block);
  return { kind: 'pem', text };
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code ?? (error instanceof Error ? error.message : String(error));
}
