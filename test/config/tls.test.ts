import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { load, refusals } from './refusals.js';

/** Self-signed, for these tests only. */
function file(name: string): string {
  return fileURLToPath(new URL(`pem/${name}.pem`, import.meta.url));
}

function pem(name: string): string {
  return readFileSync(file(name), 'utf8');
}

function sets(values: Record<string, string>) {
  return { sets: Object.entries(values).map(([key, value]) => `${key}=${value}`) };
}

const serverPair = { 'server.tls.cert': file('gateway-cert'), 'server.tls.key': file('gateway-key') };

describe('PEM', () => {
  test('files are read', () => {
    const values = {
      ...serverPair,
      'server.tls.caCert': file('other-cert'),
      'server.tls.clientAuth': 'require',
    };
    expect(load('', sets(values)).server.tls).toEqual({
      caCert: pem('other-cert'),
      cert: pem('gateway-cert'),
      key: pem('gateway-key'),
      clientAuth: 'require',
    });
  });

  test('may be inline, in YAML and in env', () => {
    const caCert = pem('other-cert');
    const yaml = `managers:\n  tls:\n    caCert: |\n${caCert.replaceAll(/^/gm, '      ')}`;
    expect(load(yaml).managers.tls.caCert.trim()).toBe(caCert.trim());
    expect(load('', { env: { DFMGW__MANAGERS__TLS__CACERT: caCert } }).managers.tls.caCert).toBe(caCert);
  });

  test('of several certificates is read whole', () => {
    const both = pem('gateway-cert') + pem('other-cert');
    expect(load('', sets({ 'managers.tls.caCert': both })).managers.tls.caCert).toBe(both);
  });

  test.each([
    ['/does/not/exist.pem', '"/does/not/exist.pem", which cannot be read (ENOENT)'],
    [fileURLToPath(new URL('.', import.meta.url)), 'which cannot be read (EISDIR)'],
    [fileURLToPath(new URL('refusals.ts', import.meta.url)), 'refusals.ts", which is not PEM'],
    [file('gateway-key'), 'gateway-key.pem", which holds no certificate'],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', 'inline PEM, which does not decode'],
    ['-----BEGIN CERTIFICATE-----\nAAAA', 'inline PEM, which is not PEM'],
    ['MIIB\nAAAA', 'text that is neither a path nor PEM'],
  ])('%j is refused as a certificate', (value, words) => {
    const lines = refusals('', sets({ 'managers.tls.caCert': value }));
    expect(lines).toEqual([expect.stringContaining(words)]);
    expect(lines[0]).toContain('managers.tls.caCert (--set managers.tls.caCert)');
  });

  test('that is no private key is refused as one, and a key never shown', () => {
    const values = { ...serverPair, 'server.tls.key': file('other-cert') };
    expect(refusals('', sets(values))).toEqual([
      expect.stringContaining('other-cert.pem", which holds no private key'),
    ]);
    const broken = pem('gateway-key').replace('MIG', 'AAA');
    const lines = refusals('', sets({ ...values, 'server.tls.key': broken }));
    expect(lines).toEqual([expect.stringContaining('inline PEM, which does not decode')]);
    expect(lines[0]).not.toContain(broken.slice(40, 60));
  });

  test('key of another certificate is refused', () => {
    const values = { ...serverPair, 'server.tls.key': file('other-key') };
    expect(refusals('', sets(values))).toEqual([
      expect.stringContaining('found a key that does not belong to cert'),
    ]);
  });
});

describe('TLS towards the callers', () => {
  test.each([
    [{ 'server.tls.cert': file('gateway-cert') }, 'found cert without key'],
    [{ 'server.tls.key': file('gateway-key') }, 'found key without cert'],
    [{ 'server.tls.caCert': file('other-cert') }, 'found caCert without cert, which leaves TLS off'],
    [{ 'server.tls.clientAuth': 'require' }, 'found "require" without server.tls.caCert'],
    [{ ...serverPair, 'server.tls.clientAuth': 'request' }, 'found "request" without server.tls.caCert'],
    [
      { 'server.tls.caCert': file('other-cert'), 'server.tls.clientAuth': 'request' },
      'found "request" without server.tls.cert',
    ],
  ])('%j is refused', (values, words) => {
    expect(refusals('', sets(values))).toEqual([expect.stringContaining(words)]);
  });
});

describe('TLS towards the managers', () => {
  const addrs = 'managers: { addrs: [plain, "https://secure", "dns:///each"] }';

  test('is for https:// alone while there are no certificates', () => {
    expect(load(addrs).managers.addrs.map(({ tls }) => tls)).toEqual([false, true, false]);
  });

  test.each([
    { 'managers.tls.caCert': file('other-cert') },
    { 'managers.tls.cert': file('gateway-cert'), 'managers.tls.key': file('gateway-key') },
  ])('is for every address without a scheme once there are: %j', (values) => {
    expect(load(addrs, sets(values)).managers.addrs.map(({ tls }) => tls)).toEqual([true, true, true]);
  });

  test('and http:// cannot be together', () => {
    const values = { 'managers.tls.caCert': file('other-cert') };
    expect(refusals('managers: { addrs: ["https://a", "http://b"] }', sets(values))).toEqual([
      expect.stringContaining(
        'managers.addrs[1] (g.yaml:1:34): found "http://b" with managers.tls.caCert set',
      ),
    ]);
  });

  test('needs both halves of a pair', () => {
    const lines = refusals('', sets({ 'managers.tls.cert': file('gateway-cert') }));
    expect(lines).toEqual([
      expect.stringContaining('managers.tls.cert (--set managers.tls.cert): found cert without key'),
    ]);
  });
});
