import { describe, expect, it } from 'vitest';
import { gatewayConfig } from '../../src/cli/demo/gateway-config.js';
import { gatewayFigures } from '../../src/cli/demo/gateway-figures.js';
import { inactivityOf } from '../../src/cli/demo/inactivity.js';
import { defaultConfig } from '../../src/config/defaults.js';
import { loadConfig } from '../../src/config/load.js';
import { createMetrics } from '../../src/observe/metrics.js';
import type { StateChange } from '../../src/simulator/manager/manager-record.js';

describe("The demo's gateway", () => {
  const text = gatewayConfig({ managerAddress: '127.0.0.1:4000', timeFactor: 10 });
  const config = loadConfig({ text, env: {}, sets: [] });
  const usual = defaultConfig();

  it('is configured as by default, ten times as fast', () => {
    expect(config.cache.methods.ListSchedulers).toEqual({ ttlMs: 3_000, swrMs: 3_000, exactTtlMs: 12_000 });
    expect(config.cache.responseTimerMs).toBe(50);
    expect(config.managers.requestTimeoutMs).toBe(usual.managers.requestTimeoutMs / 10);
    expect(config.breaker.resetTimeoutMs).toBe(usual.breaker.resetTimeoutMs / 10);
    expect(config.managers.channelsPerAddr).toBe(usual.managers.channelsPerAddr);
    expect(config.retry.maxAttempts).toBe(usual.retry.maxAttempts);
    expect(config.mode).toBe('answer');
  });

  it('is on loopback only, in front of the manager it is given', () => {
    expect(config.managers.addrs.map(({ host, port }) => `${host}:${port}`)).toEqual(['127.0.0.1:4000']);
    expect(config.server.listen).toEqual({ host: '127.0.0.1', port: 0 });
    expect(config.metrics.addr).toEqual({ host: '127.0.0.1', port: 0 });
    expect(config.admin.enable).toBe(false);
  });
});

describe("The gateway's figures", () => {
  it('are read from what its metrics really look like', async () => {
    const metrics = createMetrics({
      version: '0.0.0',
      readMethods: [],
      managerLabels: ['0'],
      mode: () => 'answer',
      maintained: () => false,
      connections: () => 0,
      serving: () => true,
      cacheBytes: () => 0,
      cacheEntries: () => 0,
      flights: () => 0,
      frozen: () => false,
      nodes: () => [],
      claims: () => ({ held: 0, unshared: 0, moving: 0, elsewhere: 0 }),
      breakers: () => new Map(),
      managers: () => [],
    });
    const answer = (kind: 'hit' | 'stale' | 'local', method: string, code: number): void =>
      metrics.subscriber({ kind: 'call-answered', method, answer: kind, code, durationMs: 1 });
    answer('hit', 'ListSchedulers', 0);
    answer('hit', 'GetScheduler', 13);
    answer('stale', 'ListSchedulers', 0);
    answer('local', 'Check', 0);
    const { text } = await metrics.render();
    expect(gatewayFigures(text)).toEqual({ hit: 2, stale: 1, miss: 0, forwarded: 0, local: 1, refused: 0 });
  });

  it('are nothing where there are no metrics', () => {
    expect(gatewayFigures('')).toEqual({ hit: 0, stale: 0, miss: 0, forwarded: 0, local: 0, refused: 0 });
  });
});

describe('The time a node was inactive', () => {
  const change = (atMs: number, state: StateChange['state']): StateChange => ({
    atMs,
    state,
    cause: 'cancel',
  });

  it('does not begin before it was active for the first time', () => {
    expect(inactivityOf([change(0, 'inactive'), change(50, 'active')], 100)).toEqual({
      totalMs: 0,
      longestMs: 0,
    });
  });

  it('is summed, the longest time apart, and lasts until now if it has not ended', () => {
    const history = [
      change(0, 'active'),
      change(10, 'inactive'),
      change(12, 'inactive'),
      change(15, 'active'),
      change(16, 'active'),
      change(80, 'inactive'),
      change(90, 'gone'),
    ];
    expect(inactivityOf(history, 100)).toEqual({ totalMs: 25, longestMs: 20 });
  });

  it('is nothing for a node that was always active, or never', () => {
    expect(inactivityOf([change(5, 'active')], 100)).toEqual({ totalMs: 0, longestMs: 0 });
    expect(inactivityOf([], 100)).toEqual({ totalMs: 0, longestMs: 0 });
  });
});
