import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { defaultConfig } from '../../src/config/defaults.js';
import { loadConfig } from '../../src/config/load.js';
import { load, refusals } from './refusals.js';

describe('sources', () => {
  test('win over the ones before: defaults, file, env, --set', () => {
    const text = 'retry: { maxAttempts: 4, budget: 0.2, backoff: 2s }';
    const env = { DFMGW__RETRY__BUDGET: '0.3', DFMGW__RETRY__BACKOFF: '3s' };
    const sets = ['retry.backoff=4s'];
    expect(load('').retry).toEqual({ maxAttempts: 3, budget: 0.1, backoffMs: 1000 });
    expect(load(text).retry).toEqual({ maxAttempts: 4, budget: 0.2, backoffMs: 2000 });
    expect(load(text, { env }).retry).toEqual({ maxAttempts: 4, budget: 0.3, backoffMs: 3000 });
    expect(load(text, { env, sets }).retry).toEqual({ maxAttempts: 4, budget: 0.3, backoffMs: 4000 });
  });

  test('that set one key of a method leave its others', () => {
    const expected = { ttlMs: 5000, swrMs: 30_000, exactTtlMs: 120_000 };
    const key = 'DFMGW__CACHE__METHODS__LISTSCHEDULERS__TTL';
    expect(load('cache: { methods: { ListSchedulers: { ttl: 5s } } }').cache.methods.ListSchedulers).toEqual(
      expected,
    );
    expect(load('', { env: { [key]: '5s' } }).cache.methods.ListSchedulers).toEqual(expected);
    const shorter = load('cache: { methods: { GetScheduler: { ttl: 5s } } }').cache.methods;
    expect(shorter.GetScheduler).toEqual({ ttlMs: 5000, swrMs: 30_000, exactTtlMs: 5000 });
    expect(shorter.ListSchedulers).toEqual(defaultConfig().cache.methods.ListSchedulers);
  });

  test('replace a list as a whole', () => {
    const sets = ['managers.addrs=["a:1", "https://b"]'];
    const { addrs } = load('managers: { addrs: [x, y, z] }', { sets }).managers;
    expect(addrs.map(({ host, port, tls }) => [host, port, tls])).toEqual([
      ['a', 1, false],
      ['b', 65003, true],
    ]);
  });

  test('may set a whole section, whose keys win over it', () => {
    const env = {
      DFMGW__MANAGERS__PROBE__SLOW: '1500ms',
      DFMGW__MANAGERS__PROBE: '{ slow: 1s, timeout: 4s }',
    };
    expect(load('', { env }).managers.probe).toEqual({ intervalMs: 10_000, timeoutMs: 4000, slowMs: 1500 });
  });

  test('a file is read, and named where it is wrong or missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'gateway.yaml');
    const missing = join(folder, 'missing.yaml');
    writeFileSync(file, 'mode: observe\n');
    const fromFile = (path: string) => ({ env: {}, sets: [], file: path });
    expect(loadConfig(fromFile(file)).mode).toBe('observe');
    writeFileSync(file, 'mode: watch\n');
    expect(() => loadConfig(fromFile(file))).toThrow(`mode (${file}:1:7): found "watch"`);
    expect(() => loadConfig(fromFile(missing))).toThrow(
      `${missing}:1:1: found a file that cannot be read (ENOENT)`,
    );
  });

  test('without any file the defaults hold', () => {
    expect(loadConfig({ env: { PATH: '/bin', DFMGW_SERVICE_HOST: '10.0.0.1' }, sets: [] })).toEqual(
      defaultConfig(),
    );
  });
});

describe('env', () => {
  test('matches keys whatever their case', () => {
    expect(load('', { env: { DFMGW__SERVER__MAXCONNECTIONS: '7' } }).server.maxConnections).toBe(7);
    expect(load('', { env: { dfmgw__server__maxConnections: '7' } }).server.maxConnections).toBe(7);
  });

  test('values are YAML: numbers, booleans and lists', () => {
    const env = {
      DFMGW__ADMIN__ENABLE: 'false',
      DFMGW__RETRY__BUDGET: '0.5',
      DFMGW__MANAGERS__ADDRS: '[a:1, b:2]',
    };
    const config = load('', { env });
    expect([config.admin.enable, config.retry.budget]).toEqual([false, 0.5]);
    expect(config.managers.addrs.map(({ text }) => text)).toEqual(['a:1', 'b:2']);
  });

  test.each([
    ['123', '123'],
    ['true', 'true'],
    ['"quoted"', 'quoted'],
    ["'it''s'", "it's"],
    ['"half', '"half'],
    ['"a" "b"', '"a" "b"'],
    ['', ''],
    ['a: b # c', 'a: b # c'],
  ])('text needs no quotes: %j is %j', (written, text) => {
    expect(load('', { env: { DFMGW__FLEET__ID: written } }).fleet.id).toBe(text);
    expect(load('', { sets: [`fleet.id=${written}`] }).fleet.id).toBe(text);
  });

  test('takes an IPv6 address as it is written', () => {
    expect(load('', { env: { DFMGW__SERVER__LISTEN: '[::]:65003' } }).server.listen.host).toBe('::');
  });

  test('of the same key twice is refused', () => {
    const env = { DFMGW__MODE: 'observe', DFMGW__mode: 'bypass' };
    expect(refusals('', { env })).toEqual([
      'mode (env DFMGW__mode): found the same key as DFMGW__MODE; allowed: one of them',
    ]);
  });

  test.each([
    [{ DFMGW__SERVER__MAXCONECTIONS: '5' }, 'did you mean "DFMGW__SERVER__MAXCONNECTIONS"?'],
    [{ DFMGW__LISTEN: ':1' }, 'did you mean "DFMGW__SERVER__LISTEN"?'],
    [{ DFMGW__: '' }, 'env DFMGW__: found an unknown key'],
    [{ DFMGW____PROTO____X: '1' }, 'found an unknown key'],
    [
      { DFMGW__MANAGERS__ADDRS__0: 'a:1' },
      'found something below a key; allowed: DFMGW__MANAGERS__ADDRS, as a whole',
    ],
    [
      { DFMGW__RETRY__BUDGET: '[' },
      'retry.budget (env DFMGW__RETRY__BUDGET): found YAML that cannot be read',
    ],
    [
      { DFMGW__RETRY__BUDGET: '' },
      'retry.budget (env DFMGW__RETRY__BUDGET): found nothing; allowed: number from 0 to 1',
    ],
    [{ DFMGW__LOG: '5' }, 'log (env DFMGW__LOG): found a number; allowed: a section with the keys level'],
  ])('%j is refused', (env, words) => {
    expect(refusals('', { env })).toEqual([expect.stringContaining(words)]);
  });
});

describe('--set', () => {
  test('the last of two wins', () => {
    expect(load('', { sets: ['mode=observe', 'mode=bypass'] }).mode).toBe('bypass');
  });

  test('takes everything after the first "=" as the value', () => {
    expect(load('', { sets: ['fleet.id=a=b'] }).fleet.id).toBe('a=b');
  });

  test.each([
    ['mode', '--set mode: found no "="; allowed: path=value'],
    ['Mode=answer', 'did you mean "mode"?'],
    ['server.tls.clientauth=none', 'did you mean "server.tls.clientAuth"?'],
    [
      'managers.addrs[0]=a:1',
      '(--set managers.addrs[0]): found something below a key; allowed: managers.addrs, as a whole',
    ],
    [
      'managers.addrs=a:1',
      'managers.addrs (--set managers.addrs): found "a:1"; allowed: list of at least one',
    ],
    ['__proto__.polluted=1', '__proto__ (--set __proto__.polluted): found an unknown key'],
    ['=1', 'found an unknown key'],
    [
      'redis.tls.enable=yes',
      'redis.tls.enable (--set redis.tls.enable): found "yes"; allowed: true or false',
    ],
  ])('%s is refused', (set, words) => {
    expect(refusals('', { sets: [set] })).toEqual([expect.stringContaining(words)]);
    expect(Object.prototype).not.toHaveProperty('polluted');
  });
});
