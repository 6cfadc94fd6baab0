import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAboutItself } from '../../src/clients/about-itself.js';
import { matcherOf } from '../../src/clients/matches.js';
import { ruleOf } from '../../src/clients/rule.js';
import { parseNamePattern } from '../../src/config/name-pattern.js';
import type { CertificateNames } from '../../src/rpc/client.js';

const NONE: CertificateNames = { dns: [], uris: [], ips: [], emails: [] };
const matches = (pattern: string, names: Partial<CertificateNames> | undefined): boolean =>
  matcherOf(parseNamePattern(pattern))(names && { ...NONE, ...names });

// Few letters, so that names and patterns meet often.
const label = fc.constantFrom('a', 'b', 'a-b');
const labels = fc.array(label, { minLength: 1, maxLength: 4 });
const starred = fc.array(fc.oneof(label, fc.constant('*')), { minLength: 1, maxLength: 4 });

describe('a name that is meant', () => {
  it.each([
    ['*.daemon.example', { dns: ['a.daemon.example'] }, true],
    ['*.daemon.example', { dns: ['x', 'A.Daemon.Example.'] }, true],
    ['*.daemon.example', { dns: ['a.b.daemon.example'] }, true],
    ['*.daemon.example', { dns: ['daemon.example', '.daemon.example', 'a..daemon.example'] }, false],
    ['*.daemon.example', { dns: ['a.daemon.example.org', 'xdaemon.example'] }, false],
    ['a.*.example', { dns: ['a.b.c.example'] }, false],
    ['daemon.example', { dns: ['*.example'] }, false],
    ['*.example', { dns: ['*.example'] }, true],
    ['a.example', { uris: ['a.example'], emails: ['a.example'] }, false],
    ['spiffe://cluster/ns/*', { uris: ['spiffe://cluster/ns/x/sa/y'] }, true],
    ['spiffe://cluster/ns/*', { uris: ['SPIFFE://Cluster/ns/x'] }, true],
    [
      'spiffe://cluster/ns/*',
      { uris: ['spiffe://cluster/ns', 'spiffe://cluster/ns/', 'spiffe://cluster/NS/x'] },
      false,
    ],
    ['spiffe://cluster/ns/*', { uris: ['spiffe://cluster/ns/../x', 'spiffe://cluster2/ns/x'] }, false],
    ['spiffe://cluster/ns/*/sa/d', { uris: ['spiffe://cluster/ns/x/sa/d'] }, true],
    [
      'spiffe://cluster/ns/*/sa/d',
      { uris: ['spiffe://cluster/ns/x/y/sa/d', 'spiffe://cluster/ns//sa/d'] },
      false,
    ],
    ['10.0.0.0/8', { ips: ['10.255.0.1'] }, true],
    ['10.0.0.1', { ips: ['10.0.0.2', '::ffff:10.0.0.1'], dns: ['10.0.0.1'] }, false],
    ['fd00::/8', { ips: ['FD00:0:0:0:0:0:0:1'] }, true],
    ['*@example.org', { emails: ['ops@Example.org'] }, true],
    ['*@example.org', { emails: ['ops@mail.example.org', '@example.org'] }, false],
    ['Ops@example.org', { emails: ['ops@example.org'] }, false],
    ['*', {}, true],
    ['*', undefined, false],
    ['(none)', undefined, true],
    ['(none)', { dns: ['(none)'] }, false],
  ])('%s, of %j: %s', (pattern, names, expected) => {
    expect(matches(pattern, names)).toBe(expected);
  });

  it('of DNS is found as a regular expression would find it', () => {
    fc.assert(
      fc.property(starred, labels, (pattern, name) => {
        fc.pre(pattern.some((one) => one !== '*'));
        const parts = pattern.map((one, at) => (one !== '*' ? one : at === 0 ? '.+' : '[^.]+'));
        const expected = new RegExp(`^${parts.join('\\.')}$`).test(name.join('.'));
        expect(matches(pattern.join('.'), { dns: [name.join('.')] })).toBe(expected);
      }),
    );
  });

  it('of a URI, too', () => {
    fc.assert(
      fc.property(starred, labels, (pattern, name) => {
        const last = pattern.length - 1;
        const parts = pattern.map((one, at) => (one !== '*' ? one : at === last ? '.+' : '[^/]+'));
        const expected = new RegExp(`^s://c/${parts.join('/')}$`).test(`s://c/${name.join('/')}`);
        expect(matches(`s://c/${pattern.join('/')}`, { uris: [`s://c/${name.join('/')}`] })).toBe(expected);
      }),
    );
  });

  it('of a block of addresses is found bit by bit', () => {
    const bits = (ip: string): string =>
      ip
        .split('.')
        .map((one) => Number(one).toString(2).padStart(8, '0'))
        .join('');
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.nat(32), fc.nat(32), (address, other, prefix, shared) => {
        // Alike as far as `shared`, or no two would ever lie in one block.
        const mixed = bits(address).slice(0, shared) + bits(other).slice(shared);
        const ip = [0, 8, 16, 24].map((at) => Number.parseInt(mixed.slice(at, at + 8), 2)).join('.');
        const expected = mixed.slice(0, prefix) === bits(address).slice(0, prefix);
        expect(matches(`${address}/${prefix}`, { ips: [ip] })).toBe(expected);
      }),
    );
  });

  it('is looked for among names of its own kind only', () => {
    const kinds = { 'a.b': 'dns', 's://a/b': 'uris', '10.0.0.1': 'ips', 'a@b': 'emails' } as const;
    for (const [pattern, kind] of Object.entries(kinds)) {
      for (const other of ['dns', 'uris', 'ips', 'emails'] as const)
        expect([pattern, other, matches(pattern, { [other]: [pattern] })]).toEqual([
          pattern,
          other,
          other === kind,
        ]);
    }
  });
});

describe('a node writes about itself', () => {
  it.each([
    [{ dns: ['a.example'] }, 'A.example', '10.0.0.1', true],
    [{ dns: ['a.example'] }, 'a', '10.0.0.1', false],
    [{ dns: ['a.example'] }, '', '', false],
    [{ dns: ['*.example'] }, 'a.example', '', false],
    [{ dns: ['*.example'] }, '*.example', '', false],
    [{ ips: ['10.0.0.1'] }, 'any', '10.0.0.1', true],
    [{ ips: ['10.0.0.1'] }, 'any', '', false],
    [{ ips: ['0:0:0:0:0:0:0:1'] }, 'any', '::1', true],
    [{ dns: ['a'], ips: ['10.0.0.1'] }, 'a', '10.0.0.1', true],
    [{ dns: ['a'], ips: ['10.0.0.1'] }, 'a', '10.0.0.2', false],
    [{ dns: ['a'], ips: ['10.0.0.1'] }, 'b', '10.0.0.1', false],
    [{ uris: ['spiffe://a/b'], emails: ['a@b'] }, 'a', '10.0.0.1', false],
  ])('with a certificate of %j about %j and %j: %s', (names, hostname, ip, expected) => {
    expect(isAboutItself({ ...NONE, ...names }, { hostname, ip })).toBe(expected);
  });

  it('and never about a name that is not in its certificate, whatever else is', () => {
    const word = fc.stringMatching(/^[a-c]{1,3}$/);
    const ip = fc.ipV4();
    fc.assert(
      fc.property(
        fc.array(word),
        fc.array(ip),
        fc.array(word),
        word,
        ip,
        (dns, ips, others, hostname, ownIp) => {
          const itself = isAboutItself({ dns, ips, uris: others, emails: others }, { hostname, ip: ownIp });
          const named = dns.includes(hostname) || ips.includes(ownIp);
          if (!named) expect(itself).toBe(false);
          if (dns.length > 0 && !dns.includes(hostname)) expect(itself).toBe(false);
          if (ips.length > 0 && !ips.includes(ownIp)) expect(itself).toBe(false);
          if (dns.includes(hostname) && ips.includes(ownIp)) expect(itself).toBe(true);
        },
      ),
    );
  });
});

describe('a rule allows', () => {
  const allowing = (methods: readonly string[], onlyItself = false) =>
    ruleOf({ name: 'a', certificates: [], methods, onlyItself });

  it.each([
    [['reads'], '/manager.v2.Manager/ListSchedulers', true],
    [['reads'], '/manager.Manager/ListBuckets', true],
    [['reads'], '/manager.v2.Manager/UpdateScheduler', false],
    [['writes'], '/manager.v2.Manager/DeleteSeedPeer', true],
    [['writes', 'reads'], '/manager.v2.Manager/KeepAlive', false],
    [['keep-alive'], '/manager.Manager/KeepAlive', true],
    [['GetScheduler'], '/manager.Manager/GetScheduler', true],
    [['/manager.v2.Manager/GetScheduler'], '/manager.Manager/GetScheduler', false],
    [['/manager.v2.Manager/*'], '/manager.v2.Manager/KeepAlive', true],
    [['everything'], '/security.Certificate/IssueCertificate', true],
  ])('with %j the known %s: %s', (methods, path, expected) => {
    expect(allowing(methods).allows(path, true)).toBe(expected);
  });

  it.each([
    [['reads', 'writes', 'GetScheduler'], '/other.Service/GetScheduler', false],
    [['reads'], '/manager.v2.Manager/GetScheduler/', false],
    [['everything'], '/other.Service/Anything', true],
    [['/other.Service/*'], '/other.Service/Anything', true],
    [['/other.Service/*'], '/other.Service/Any/thing', false],
    [['/other.Service/*'], '/other.Service2/Anything', false],
    [['/other.Service/Anything'], '/other.Service/Anything', true],
  ])('with %j the unknown %s: %s', (methods, path, expected) => {
    expect(allowing(methods).allows(path, false)).toBe(expected);
  });

  it('of everything, about itself only, nothing that nobody can read', () => {
    const rule = allowing(['everything'], true);
    expect(rule.allows('/manager.v2.Manager/UpdateScheduler', true)).toBe(true);
    expect(rule.allows('/manager.v3.Manager/UpdateScheduler', false)).toBe(false);
  });
});
