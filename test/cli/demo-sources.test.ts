import { describe, expect, it } from 'vitest';
import { gatewayConfig } from '../../src/cli/demo/gateway-config.js';
import { gatewayFigures } from '../../src/cli/demo/gateway-figures.js';
import { inactivityOf } from '../../src/cli/demo/inactivity.js';
import { defaultConfig } from '../../src/config/defaults.js';
import { loadConfig } from '../../src/config/load.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import type { StateChange } from '../../src/simulator/manager/manager-record.js';
import { metricsAfter } from '../support/told.js';

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
    const answered = (answer: 'hit' | 'stale' | 'local', method: string, code: number): GatewayEvent => ({
      kind: 'call-answered',
      method,
      answer,
      code,
      durationMs: 1,
    });
    const text = await metricsAfter([
      answered('hit', 'ListSchedulers', 0),
      answered('hit', 'GetScheduler', 13),
      answered('stale', 'ListSchedulers', 0),
      answered('local', 'Check', 0),
    ]);
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
