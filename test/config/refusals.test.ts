import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-error.js';
import { GatewayError } from '../../src/errors.js';
import { load, refusals } from './refusals.js';

describe('one wrong thing is told with its path, where it is, what was found and what is allowed', () => {
  test.each([
    [
      'mode: anser',
      'mode (g.yaml:1:7): found "anser"; allowed: answer, observe, bypass; did you mean "answer"?',
    ],
    ['mode:', 'mode (g.yaml:1:6): found nothing; allowed: answer, observe, bypass'],
    ['fleet: { id: 5 }', 'fleet.id (g.yaml:1:14): found 5; allowed: text'],
    ['server:\n  lisen: x', 'server.lisen (g.yaml:2:3): found an unknown key; allowed: listen, engine'],
    ['listen: x', 'did you mean "server.listen"?'],
    ['server: 5', 'server (g.yaml:1:9): found a number; allowed: a section with the keys listen, engine'],
    ['server: [a]', 'server (g.yaml:1:9): found a list; allowed: a section'],
    ['- 1', 'g.yaml:1:1: found a list; allowed: a section with the keys fleet, mode'],
    ['server: { maxConnections: 0 }', 'found 0; allowed: whole number, at least 1 (connections)'],
    ['server: { maxConnections: -1 }', 'found -1'],
    ['server: { maxConnections: 1.5 }', 'found 1.5'],
    ['server: { maxConnections: .inf }', 'found Infinity'],
    ['server: { maxConnections: "5" }', 'found "5"; allowed: whole number'],
    ['server: { listen: "0.0.0.0:65536" }', 'found "0.0.0.0:65536" (port 65536 is above 65535)'],
    ['server: { ping: { interval: 0s } }', 'found "0s" (it is not above zero)'],
    ['server: { drainTimeout: -1s }', 'found "-1s" (a duration cannot be negative)'],
    ['server: { drainTimeout: 30 }', 'found 30; allowed: duration such as'],
    ['managers: { addrs: [] }', 'managers.addrs (g.yaml:1:20): found []; allowed: list of at least one'],
    [
      'managers: { addrs: ["a:1", "b:x"] }',
      'managers.addrs[1] (g.yaml:1:28): found "b:x" ("x" is not a port)',
    ],
    ['managers: { addrs: "a:1" }', 'managers.addrs (g.yaml:1:20): found "a:1"; allowed: list'],
    ['breaker: { errorRate: 0 }', 'allowed: number from 1 to 100 (percent)'],
    ['breaker: { errorRate: 101 }', 'allowed: number from 1 to 100 (percent)'],
    ['breaker: { volumeThreshold: 0 }', 'allowed: whole number, at least 1 (calls)'],
    ['retry: { maxAttempts: 0 }', 'allowed: whole number, at least 1 (attempts)'],
    ['retry: { budget: 1.1 }', 'allowed: number from 0 to 1'],
    ['retry: { budget: -0.1 }', 'allowed: number from 0 to 1'],
    ['cache: { methods: { ListScheduler: { ttl: 5s } } }', 'did you mean "cache.methods.ListSchedulers"?'],
    ['metrics: { enabled: true }', 'did you mean "metrics.enable"?'],
    ['redis: { addrs: [redis] }', 'redis.addrs[0] (g.yaml:1:18): found "redis" (the port is missing)'],
    [
      'redis: { keyPrefix: "a{b}" }',
      'redis.keyPrefix (g.yaml:1:21): found "a{b}" (the braces of a key are for fleet.id); allowed: text without { and }',
    ],
    ['redis: { keyPrefix: "a{" }', 'found "a{" (the braces of a key are for fleet.id)'],
    ['"__proto__": { x: 1 }', '__proto__ (g.yaml:1:1): found an unknown key'],
    ['server: { toString: 1 }', 'server.toString (g.yaml:1:11): found an unknown key'],
    ['? [a, b]\n: 1', 'g.yaml:1:1): found an unknown key'],
    ['<<: { mode: answer }', '<< (g.yaml:1:1): found an unknown key'],
  ])('%j', (text, words) => {
    expect(refusals(text)).toEqual([expect.stringContaining(words)]);
  });

  test.each([
    ['server: { drainTimeout: 0 }'],
    ['server: { listen: "127.0.0.1:0" }\nmetrics: { addr: "127.0.0.1:0" }\nadmin: { addr: "127.0.0.1:0" }'],
    ['breaker: { errorRate: 100 }\nretry: { maxAttempts: 1, budget: 0 }'],
    ['cache: { sharing: exact }'],
    ['a: &x 1', ['a (g.yaml:1:1)']],
  ])('%j is taken, or refused for nothing else', (text, lines = []) => {
    expect(refusals(text)).toEqual(lines.map((line) => expect.stringContaining(line)));
  });
});

describe('YAML itself', () => {
  test.each([
    ['mode: answer\nretry: [1', 'g.yaml:2:10: found YAML that cannot be read ('],
    ['mode: "x', 'found YAML that cannot be read (Missing closing "quote)'],
    ['\tmode: answer', 'found YAML that cannot be read ('],
    [
      'server: !secret {}',
      'g.yaml:1:9: found YAML that cannot be read (a tag that is not known; a value that begins with ! wants quotes)',
    ],
    [
      'server: *nobody',
      'g.yaml:1:9: found YAML that cannot be read (an alias of nothing; a value that begins with * wants quotes)',
    ],
    ['mode: answer\n---\nmode: observe', 'g.yaml:2:1: found a second YAML document; allowed: one document'],
    [
      'server:\n  engine: node\n  engine: node',
      'server.engine (g.yaml:3:3): found a key that is already there',
    ],
  ])('%j is refused', (text, words) => {
    const lines = refusals(text);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(words);
  });

  test('that cannot be read draws no conclusions from what it may have said', () => {
    const lines = refusals('fleet: { id: [', {
      sets: ['redis.addrs=["r:1"]'],
      env: { DFMGW__LOG__LEVEL: 'loud' },
    });
    expect(lines.every((line) => line.includes('cannot be read') || line.includes('found "loud"'))).toBe(
      true,
    );
    expect(lines.some((line) => line.includes('found "loud"'))).toBe(true);
  });

  test('with aliases is read, and told where the value stands', () => {
    const text = 'managers:\n  probe: { timeout: &t 4s, interval: *t }\n';
    expect(load(text).managers.probe).toEqual({ intervalMs: 4000, timeoutMs: 4000, slowMs: 2000 });
    const shared = 'cache:\n  methods:\n    GetScheduler: &m { ttl: 5x }\n    GetSeedPeer: *m\n';
    expect(refusals(shared)).toEqual([
      expect.stringContaining('cache.methods.GetScheduler.ttl (g.yaml:3:29): found "5x"'),
      expect.stringContaining('cache.methods.GetSeedPeer.ttl (g.yaml:3:29): found "5x"'),
    ]);
  });

  test('whose aliases multiply without bound is refused', () => {
    const nine = (name: string) => `[${Array(9).fill(`*${name}`).join(', ')}]`;
    const text = `a: &a [1, 1]\nb: &b ${nine('a')}\nc: &c ${nine('b')}\nd: &d ${nine('c')}\ne: ${nine('d')}\n`;
    expect(refusals(text)).toEqual([expect.stringContaining('cannot be resolved')]);
  });

  test('from other systems is read: a byte order mark, CRLF, tabs between tokens', () => {
    expect(load('\uFEFFmode:\tobserve\r\nretry: { maxAttempts: 5 }\r\n').retry.maxAttempts).toBe(5);
  });
});

test('everything that is wrong is told at once, from top to bottom, then env, then --set', () => {
  const text = `mode: anser
server:
  maxConnections: many
  ping:
    interval: soon
managers:
  adrs: ["a:1"]
  probe: { slow: 20s }
retry:
  maxAttempts: 0
keepAlive: { grace: 0s }
`;
  const env = { DFMGW__LOG__LEVEL: 'loud', DFMGW__CACHE__RESPONSETIMER: '11s' };
  const lines = refusals(text, { env, sets: ['metrics.addr=:65003', 'nope=1'] });
  expect(lines.map((line) => line.split(': found')[0])).toEqual([
    'mode (g.yaml:1:7)',
    'server.maxConnections (g.yaml:3:19)',
    'server.ping.interval (g.yaml:5:15)',
    'managers.adrs (g.yaml:7:3)',
    'managers.probe.slow (g.yaml:8:18)',
    'retry.maxAttempts (g.yaml:10:16)',
    'keepAlive.grace (g.yaml:11:21)',
    'log.level (env DFMGW__LOG__LEVEL)',
    'cache.responseTimer (env DFMGW__CACHE__RESPONSETIMER)',
    'nope (--set nope)',
    'metrics.addr (--set metrics.addr)',
  ]);
});

test('a wrong value is told even where a later source replaces it', () => {
  expect(refusals('mode: anser', { sets: ['mode=answer'] })).toEqual([
    expect.stringContaining('mode (g.yaml:1:7)'),
  ]);
});

test('a refused value brings no second refusal with it', () => {
  const lines = refusals('managers: { probe: { slow: 20s, timeout: never } }');
  expect(lines).toEqual([expect.stringContaining('managers.probe.timeout')]);
});

test('the error is a GatewayError, with its problems as data too', () => {
  const error = caught(() => load('mode: 5\n'));
  expect(error).toBeInstanceOf(GatewayError);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).code).toBe('config-invalid');
  expect((error as ConfigError).problems).toEqual([
    {
      path: ['mode'],
      place: { kind: 'file', file: 'g.yaml', line: 1, column: 7 },
      found: '5',
      allowed: 'answer, observe, bypass',
    },
  ]);
});

test('secrets are never in the message', () => {
  const text = 'redis: { password: [hunter2], secret: hunter2, addrs: ["redis://u:hunter2@r:1"] }\n';
  const sources = { env: { DFMGW__ADMIN__TOKEN: 'hunter2' }, sets: ['redis.sentinelPassword=hunter2'] };
  const lines = refusals(text, sources);
  expect(lines).toHaveLength(2);
  expect(lines.join('\n')).not.toContain('hunter2');
});

function caught(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}
