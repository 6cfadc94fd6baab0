import { describe, expect, it } from 'vitest';
import { createRunningConfig } from '../../src/config/running-config.js';
import { configOf } from '../support/data-path.js';

describe('the configuration that runs', () => {
  it('takes what can change in place, so that whoever holds a part of it reads the new value', () => {
    const running = createRunningConfig(configOf(''));
    const { cache, retry } = running.config;
    const change = running.apply(
      configOf('', ['cache.methods.ListSchedulers.ttl=5s', 'cache.maxStale=1h', 'retry.maxAttempts=1']),
    );
    expect(change.needRestart).toEqual([]);
    expect(new Set(change.applied)).toEqual(
      // The TTL of own answers is that of all where it is not set.
      new Set(['cache.maxStale', 'cache.methods.ListSchedulers.ttl', 'retry.maxAttempts']),
    );
    expect(cache.methods.ListSchedulers.ttlMs).toBe(5_000);
    expect(cache.maxStaleMs).toBe(3_600_000);
    expect(retry.maxAttempts).toBe(1);
  });

  it('names what needs a restart by its key, never by its value, and again as long as it differs', () => {
    const running = createRunningConfig(configOf(''));
    const next = configOf('', ['admin.token=very-secret', 'cache.maxBytes=1000000', 'mode=observe']);
    expect(running.apply(next)).toEqual({
      applied: ['mode'],
      needRestart: ['cache.maxBytes', 'admin.token'],
    });
    expect(running.apply(next)).toEqual({ applied: [], needRestart: ['cache.maxBytes', 'admin.token'] });
    expect(running.config.admin.token).toBe('');
  });

  it('takes a list as one value', () => {
    const running = createRunningConfig(configOf('', ['managers.addrs=["a:1", "b:1"]']));
    const next = configOf('', ['managers.addrs=["b:1"]']);
    expect(running.apply(next)).toEqual({ applied: ['managers.addrs'], needRestart: [] });
    expect(running.config.managers.addrs.map(({ host }) => host)).toEqual(['b']);
  });

  it('does not change the configuration that it was made of, nor keep hold of the one it is given', () => {
    const first = configOf('');
    const running = createRunningConfig(first);
    const next = configOf('', ['managers.addrs=["b:1"]']);
    running.apply(next);
    expect(first.managers.addrs).not.toEqual(running.config.managers.addrs);
    expect(running.config.managers.addrs).not.toBe(next.managers.addrs);
  });
});
