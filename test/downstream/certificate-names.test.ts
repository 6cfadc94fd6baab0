import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { certificateNames } from '../../src/downstream/certificate-names.js';
import { makeAuthority } from '../support/certificates.js';

const PREFIX = { dns: 'DNS', uris: 'URI', ips: 'IP Address', emails: 'email' } as const;

it('what stands in a certificate is read, and no name passes for two', () => {
  const authority = makeAuthority();
  onTestFinished(() => authority.end());
  const names =
    'DNS:a.example,DNS:*.b.example,URI:spiffe://cluster/ns/a/sa/b,IP:10.0.0.1,IP:fd00::1,email:ops@example.org,otherName:1.2.3.4;UTF8:x';
  const plain = new X509Certificate(authority.leaf('plain', { names }).cert);
  expect(certificateNames(plain.subjectAltName ?? '')).toEqual({
    dns: ['a.example', '*.b.example'],
    uris: ['spiffe://cluster/ns/a/sa/b'],
    ips: ['10.0.0.1', 'FD00:0:0:0:0:0:0:1'],
    emails: ['ops@example.org'],
  });
});

it('what has commas and quotes in it stays what it is', () => {
  const names = fc.array(
    fc.tuple(
      fc.constantFrom('dns', 'uris', 'ips', 'emails'),
      fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('a, DNS:b', '"', 'a", DNS:"b', '\\', ',')),
    ),
  );
  fc.assert(
    fc.property(names, (all) => {
      // As node::crypto::PrintGeneralName does it: quoted if there is anything in it that could be misread.
      const written = all.map(([kind, name]) => {
        const safe = /^[\x20-\x7e]*$/.test(name) && !/[,"\\']/.test(name);
        return `${PREFIX[kind]}:${safe ? name : JSON.stringify(name)}`;
      });
      const read = certificateNames(written.join(', '));
      for (const kind of ['dns', 'uris', 'ips', 'emails'] as const)
        expect(read[kind]).toEqual(all.filter(([other]) => other === kind).map(([, name]) => name));
    }),
  );
});

it('what is no list of names gives none, and does not throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void certificateNames(text)));
  for (const text of ['', 'DNS:"a', 'DNS:"a"b', 'nothing', 'DNS:"\\q"'])
    expect(certificateNames(text)).toEqual({ dns: [], uris: [], ips: [], emails: [] });
});
