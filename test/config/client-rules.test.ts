import { describe, expect, test } from 'vitest';
import { METHOD_GROUPS, METHODS_ALONE } from '../../src/config/client-rule.js';
import { parseNamePattern } from '../../src/config/name-pattern.js';
import { createRunningConfig } from '../../src/config/running-config.js';
import { METHOD_TABLE } from '../../src/route/method-table.js';
import { load, refusals } from './refusals.js';

const RULE = 'name: a, certificates: ["*"], methods: [reads]';

test('rules are read, with what their names mean', () => {
  const text = `server:
  clients:
    rules:
      - { name: daemons, certificates: ["*.daemon.example", "spiffe://cluster/ns/*", 10.0.0.0/8], methods: [reads, /a.B/*] }
      - { name: others, certificates: ["*", (none), "*@example.org", ::1], methods: [everything], onlyItself: true }
`;
  const { mode, rules } = load(text).server.clients;
  expect(mode).toBe('off');
  expect(rules.map(({ name, methods, onlyItself }) => [name, methods, onlyItself])).toEqual([
    ['daemons', ['reads', '/a.B/*'], false],
    ['others', ['everything'], true],
  ]);
  expect(rules.flatMap(({ certificates }) => certificates.map(({ kind }) => kind))).toEqual([
    ...['dns', 'uri', 'ip'],
    ...['any', 'no-certificate', 'email', 'ip'],
  ]);
});

describe('a rule that cannot be is told with its place', () => {
  test.each([
    ['[5]', 'rules[0] (g.yaml:1:30): found 5 (it is not a section with name, certificates'],
    ['[{ certificates: ["*"], methods: [reads] }]', '(the name is missing)'],
    ['[{ name: A, certificates: ["*"], methods: [reads] }]', 'rules[0].name (g.yaml:1:38): found "A"'],
    ['[{ name: none, certificates: ["*"], methods: [reads] }]', 'and not "none"'],
    [`[{ ${RULE} }, { ${RULE} }]`, 'rules[1].name (g.yaml:1:90): found "a" (rules[0] has that name)'],
    [`[{ ${RULE}, only: true }]`, 'rules[0].only (g.yaml:1:86): found true (an unknown key; there are name,'],
    [`[{ ${RULE}, onlyItself: 1 }]`, 'it is not true or false'],
    ['[{ name: a, methods: [reads] }]', 'certificates is not a list of at least one'],
    ['[{ name: a, certificates: [], methods: [reads] }]', 'certificates is not a list of at least one'],
    [
      '[{ name: a, certificates: [5], methods: [reads] }]',
      'certificates[0] (g.yaml:1:56): found 5 (it is not text)',
    ],
    ['[{ name: a, certificates: ["*"], methods: [read] }]', 'did you mean reads?'],
    ['[{ name: a, certificates: ["*"], methods: [ListScheduler] }]', 'did you mean ListSchedulers?'],
    ['[{ name: a, certificates: ["*"], methods: [/a] }]', 'a path is /service/method or /service/*'],
  ])('%s', (written, words) => {
    const lines = refusals(`server: { clients: { rules: ${written} } }`);
    expect(lines.join('\n')).toContain(words);
  });

  test('and more of them than a metric should have labels are too many', () => {
    const rules = Array.from({ length: 65 }, (_, at) => `{ ${RULE.replace('name: a', `name: a${at}`)} }`);
    expect(refusals(`server: { clients: { rules: [${rules.join(', ')}] } }`).join()).toContain(
      'more than 64',
    );
  });
});

test.each([
  ['a*.example', 'a * stands for a whole label'],
  ['*.*', 'not every label can be *'],
  ['a b', 'it is no DNS name, URI, IP or e-mail'],
  ['a..b', 'it is no DNS name, URI, IP or e-mail'],
  ['', 'it is no DNS name, URI, IP or e-mail'],
  ['10.0.0.0/33', 'the length is 0 to 32'],
  ['10.0.0.0/', 'the length is 0 to 32'],
  ['::/129', 'the length is 0 to 128'],
  ['spiffe://*/a', 'a * stands for a part of the path only'],
  ['spiffe://a/b*', 'a * stands for a whole part of the path'],
  ['spiffe://a/b c', 'there is a blank in it'],
  ['@example.org', 'nothing stands before the @'],
  ['a*@example.org', 'a * stands for all that is before the @'],
  ['*@*.example.org', 'a * stands for all that is before the @'],
])('%j is no name that is meant: %s', (text, words) => {
  expect(() => parseNamePattern(text)).toThrow(words);
});

describe('rules that cannot be held', () => {
  test.each([
    [
      '{ mode: warn }',
      'found "warn" with server.tls.clientAuth "none": callers are asked for no certificate',
    ],
    [`{ mode: enforce, rules: [{ ${RULE} }] }`, 'server.tls.clientAuth "none"'],
  ])('%s', (clients, words) => {
    const [line, ...more] = refusals(`server: { clients: ${clients} }`);
    expect(more).toEqual([]);
    expect(line).toContain('server.clients.mode (g.yaml:1:');
    expect(line).toContain(words);
  });

  test('enforce without a rule', () => {
    const pem = (name: string) => JSON.stringify(`test/config/pem/${name}.pem`);
    const tls = `{ clientAuth: require, caCert: ${pem('other-cert')}, cert: ${pem('gateway-cert')}, key: ${pem('gateway-key')} }`;
    const of = (clients: string) => refusals(`server: { tls: ${tls}, clients: ${clients} }`);
    expect(of('{ mode: enforce }')).toEqual([
      expect.stringContaining('"enforce" without a rule, which refuses everybody'),
    ]);
    expect(of('{ mode: warn }')).toEqual([]);
    expect(of(`{ mode: enforce, rules: [{ ${RULE} }] }`)).toEqual([]);
  });
});

test('a reload takes other rules, but not before callers are asked for certificates', () => {
  const config = load('');
  const running = createRunningConfig(config);
  const rules = load(`server: { clients: { rules: [{ ${RULE} }] } }`);
  expect(running.apply(rules)).toEqual({ applied: ['server.clients.rules'], needRestart: [] });
  const asking = {
    ...rules,
    server: { ...rules.server, clients: { ...rules.server.clients, mode: 'enforce' as const } },
  };
  expect(running.apply(asking).applied).toEqual(['server.clients.mode']);
  const back = createRunningConfig(config);
  const tls = { ...config.server.tls, clientAuth: 'require' as const };
  const change = back.apply({ ...asking, server: { ...asking.server, tls } });
  expect(change).toEqual({
    applied: [],
    needRestart: ['server.clients.mode', 'server.clients.rules', 'server.tls.clientAuth'],
  });
  expect(back.config.server.clients.mode).toBe('off');
});

test('the groups have every method of the table that they should have', () => {
  const of = (...kinds: string[]) =>
    [...METHOD_TABLE]
      .filter(([, { kind }]) => kinds.includes(kind))
      .map(([path]) => path.split('/')[2] ?? '');
  expect(new Set<string>(METHOD_GROUPS.reads)).toEqual(new Set(of('read')));
  expect(new Set<string>(METHOD_GROUPS.writes)).toEqual(new Set(of('write')));
  expect(new Set<string>(METHOD_GROUPS['keep-alive'])).toEqual(new Set(of('keep-alive')));
  expect(new Set<string>(METHODS_ALONE)).toEqual(new Set(of('pass')));
});
