import { expect, test } from 'vitest';
import { refusals } from './refusals.js';

test.each([
  [
    'managers: { probe: { slow: 11s } }',
    'managers.probe.slow',
    'found managers.probe.slow 11s with managers.probe.timeout 10s',
  ],
  [
    'managers: { probe: { timeout: 1s } }',
    'managers.probe.timeout',
    'found managers.probe.slow 2s with managers.probe.timeout 1s',
  ],
  [
    'cache: { responseTimer: 11s }',
    'cache.responseTimer',
    'found cache.responseTimer 11s with managers.requestTimeout 10s',
  ],
  ['managers: { addrs: [a, "http://A:65003"] }', 'managers.addrs[1]', 'the same as managers.addrs[0]'],
  [
    'managers: { addrs: ["[::1]:1", "dns:///[::1]:1"] }',
    'managers.addrs[1]',
    'the same as managers.addrs[0]',
  ],
  ['managers: { tls: { serverName: x } }', 'managers.tls.serverName', 'no address uses TLS'],
  [
    'metrics: { addr: "127.0.0.1:8080" }',
    'metrics.addr',
    'found metrics.addr 127.0.0.1:8080 with admin.addr 127.0.0.1:8080',
  ],
  ['admin: { addr: ":8000" }', 'admin.addr', 'found metrics.addr :8000 with admin.addr :8000'],
  [
    'metrics: { addr: "127.0.0.1:65003" }',
    'metrics.addr',
    'found server.listen 0.0.0.0:65003 with metrics.addr',
  ],
  ['server: { listen: "[::]:8080" }', 'server.listen', 'found server.listen [::]:8080 with admin.addr'],
  ['server: { listen: "localhost:8080" }', 'server.listen', 'with admin.addr 127.0.0.1:8080'],
])('%s is impossible', (text, path, words) => {
  const lines = refusals(text);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(`${path} (g.yaml:1:`);
  expect(lines[0]).toContain(words);
});

test.each([
  ['managers: { probe: { slow: 10s } }'],
  ['cache: { responseTimer: 10s }'],
  ['managers: { addrs: ["a:1", "a:2", "b:1"] }'],
  ['managers: { addrs: ["https://a"], tls: { serverName: x } }'],
  ['metrics: { enable: false, addr: "127.0.0.1:8080" }'],
  ['admin: { enable: false, addr: ":8000" }'],
  ['metrics: { addr: "127.0.0.2:8080" }'],
  ['server: { listen: "[::1]:8080" }'],
])('%s is possible', (text) => {
  expect(refusals(text)).toEqual([]);
});

test.each([
  ['redis: { addrs: ["r:1"] }', 'found Redis addresses without fleet.id'],
  ['redis: { mode: sentinel }', 'found sentinel without masterName'],
  ['redis: { tls: { enable: true, cert: x } }', 'found cert without key; allowed: both, or neither'],
  ['redis: { tls: { caCert: x } }', 'found caCert without enable, which leaves TLS off'],
  ['redis: { tls: { cert: x, key: y } }', 'found cert without enable, which leaves TLS off'],
  ['redis: { mode: cluster, db: 1 }', 'found 1, with mode cluster; allowed: 0 with mode cluster'],
])('%s is impossible, built or not', (text, words) => {
  expect(refusals(text).join('\n')).toContain(words);
});

test('Redis with a fleet is refused only for not being built', () => {
  const lines = refusals('fleet: { id: f }\nredis: { addrs: ["r:1"], mode: sentinel, masterName: m, db: 1 }');
  expect(lines.every((line) => line.includes('not built yet'))).toBe(true);
});

test('a combination over several sources is told where the last word was said', () => {
  const lines = refusals('managers: { probe: { slow: 5s } }', { sets: ['managers.probe.timeout=4s'] });
  expect(lines).toEqual([expect.stringContaining('managers.probe.slow (g.yaml:1:28)')]);
  const other = refusals('', { env: { DFMGW__MANAGERS__PROBE__TIMEOUT: '1s' } });
  expect(other).toEqual([
    expect.stringContaining('managers.probe.timeout (env DFMGW__MANAGERS__PROBE__TIMEOUT)'),
  ]);
});
