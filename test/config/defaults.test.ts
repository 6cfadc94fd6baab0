import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { defaultConfig } from '../../src/config/defaults.js';
import { everyKey } from '../../src/config/look-up.js';
import { METHODS } from '../../src/config/methods.js';
import { valueAt } from '../../src/config/tree.js';
import { load } from './refusals.js';

/** The keys and defaults as they were agreed. */
const AGREED = `
fleet:     { id: "" }
mode: answer
server:
  listen: "0.0.0.0:65003"
  engine: node
  tls: { caCert: "", cert: "", key: "", clientAuth: none }
  clients: { mode: off, rules: [] }
  maxConnections: 25000
  maxConcurrentStreams: 256
  maxMetadataBytes: 16384
  maxMessageBytes: 4194304
  ping: { interval: 30s, timeout: 10s }
  limits:
    connectionsPerAddress: 0
    firstFrameTimeout: 10s
    idleTimeout: 1h
    resetsPerSecond: 100
    pingsPerSecond: 500
    settingsPerSecond: 10
    refusalsPerSecond: 100
    asksPerSecond: 200
    bytesInFlight: 268435456
    memory: 0
  drainTimeout: 25s
managers:
  addrs: ["manager:65003"]
  tls: { caCert: "", cert: "", key: "", serverName: "" }
  channelsPerAddr: 2
  connectTimeout: 3s
  requestTimeout: 10s
  maxInFlight: 100
  probe: { interval: 10s, timeout: 10s, slow: 2s }
cache:
  maxBytes: 268435456
  responseTimer: 500ms
  maxStale: 72h
  sharing: scope
  emptyHold: 10m
  negativeTtl: 30s
  methods:
    ListApplications: { ttl: 60s, swr: 30s }
    ListSchedulers: { ttl: 30s, swr: 30s, exactTtl: 120s }
    GetScheduler: { ttl: 30s, swr: 30s }
    GetSeedPeer: { ttl: 30s, swr: 30s }
    ListSeedPeers: { ttl: 60s, swr: 30s }
    ListBuckets: { ttl: 60s, swr: 30s }
    GetObjectStorage: { ttl: 60s, swr: 30s }
redis:     { addrs: [], mode: single, masterName: "", username: "", password: "", sentinelPassword: "", db: 0, keyPrefix: "dfmgw", secret: "", timeout: 100ms, tls: { enable: false, caCert: "", cert: "", key: "", serverName: "" } }
snapshot:  { dir: "/var/lib/dragonfly/manager-gateway", interval: 10s }
breaker:   { volumeThreshold: 20, errorRate: 50, window: 10s, resetTimeout: 5s }
retry:     { maxAttempts: 3, backoff: 1s, budget: 0.1 }
keepAlive: { grace: 25s, reconcile: 30s, lease: 15s, portCheck: 0s }
registrations: { whenDown: known }
warmup:    { timeout: 30s, rate: 50, requests: [] }
metrics:   { enable: true, addr: ":8000" }
admin:     { enable: true, addr: "127.0.0.1:8080", token: "", hosts: [] }
log:       { level: info }
tracing:   { endpoint: "", sample: 0.01 }
`;

describe('the defaults', () => {
  test('have every agreed key, as the YAML names it, with the agreed default', () => {
    const agreed: unknown = parse(AGREED);
    // "60s" and "1m" would be the same duration: here the texts themselves are compared.
    for (const { path, meta } of everyKey())
      expect([path, meta.written]).toEqual([path, valueAt(agreed, path)]);
    expect(load(AGREED)).toEqual(defaultConfig());
  });

  test('arrive as what the code uses: ms, hosts and ports', () => {
    const config = defaultConfig();
    expect(config.server).toEqual({
      listen: { host: '0.0.0.0', port: 65003 },
      engine: 'node',
      tls: { caCert: '', cert: '', key: '', clientAuth: 'none' },
      clients: { mode: 'off', rules: [] },
      maxConnections: 25_000,
      maxConcurrentStreams: 256,
      maxMetadataBytes: 16_384,
      maxMessageBytes: 4_194_304,
      ping: { intervalMs: 30_000, timeoutMs: 10_000 },
      limits: {
        connectionsPerAddress: 0,
        firstFrameTimeoutMs: 10_000,
        idleTimeoutMs: 3_600_000,
        resetsPerSecond: 100,
        pingsPerSecond: 500,
        settingsPerSecond: 10,
        refusalsPerSecond: 100,
        asksPerSecond: 200,
        bytesInFlight: 268_435_456,
        memory: 0,
      },
      drainTimeoutMs: 25_000,
    });
    expect(config.managers).toEqual({
      addrs: [{ text: 'manager:65003', resolve: 'one', host: 'manager', port: 65003, tls: false }],
      tls: { caCert: '', cert: '', key: '', serverName: '' },
      channelsPerAddr: 2,
      connectTimeoutMs: 3000,
      requestTimeoutMs: 10_000,
      maxInFlight: 100,
      probe: { intervalMs: 10_000, timeoutMs: 10_000, slowMs: 2000 },
    });
    expect(config.cache.maxStaleMs).toBe(72 * 3_600_000);
    expect(config.cache.emptyHoldMs).toBe(600_000);
    expect(config.redis.timeoutMs).toBe(100);
    expect(config.metrics.addr).toEqual({ host: '', port: 8000 });
    expect(config.keepAlive).toEqual({
      graceMs: 25_000,
      reconcileMs: 30_000,
      leaseMs: 15_000,
      portCheckMs: 0,
    });
  });

  test('give an answer of one’s own the TTL of the others, except for ListSchedulers', () => {
    const { methods } = defaultConfig().cache;
    expect(Object.keys(methods)).toEqual([...METHODS]);
    expect(methods.ListSchedulers).toEqual({ ttlMs: 30_000, swrMs: 30_000, exactTtlMs: 120_000 });
    expect(methods.ListApplications).toEqual({ ttlMs: 60_000, swrMs: 30_000, exactTtlMs: 60_000 });
    expect(methods.GetScheduler).toEqual({ ttlMs: 30_000, swrMs: 30_000, exactTtlMs: 30_000 });
  });

  test.each(['', '# nothing\n', '---\n', 'server:\nmanagers:\n  probe:\n', '{}'])(
    'are what %j means',
    (text) => {
      expect(load(text)).toEqual(defaultConfig());
    },
  );
});

test('deploy/manager-gateway.yaml loads, has every key that has a default, and equals the defaults', () => {
  const text = readFileSync(new URL('../../deploy/manager-gateway.yaml', import.meta.url), 'utf8');
  const tree: unknown = parse(text);
  expect(load(text)).toEqual(defaultConfig());
  for (const { path, meta } of everyKey()) {
    if (meta.writtenNote === undefined) expect([path, valueAt(tree, path)]).toEqual([path, meta.written]);
  }
});
