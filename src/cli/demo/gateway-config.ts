import { defaultConfig } from '../../config/defaults.js';
import { METHODS } from '../../config/methods.js';

export interface GatewayConfigOptions {
  readonly managerAddress: string;
  readonly timeFactor: number;
}

/**
 * The gateway's defaults with every duration that has to do with the fleet or the manager divided by the time
 * factor, as the fleet's own are; nothing else is changed but addresses. JSON, which is YAML.
 */
export function gatewayConfig({ managerAddress, timeFactor }: GatewayConfigOptions): string {
  const { managers, cache, breaker, retry, keepAlive } = defaultConfig();
  const scaled = (realMs: number): string => `${Math.round(realMs / timeFactor)}ms`;
  const methods = METHODS.map((method) => {
    const { ttlMs, swrMs, exactTtlMs } = cache.methods[method];
    return [method, { ttl: scaled(ttlMs), swr: scaled(swrMs), exactTtl: scaled(exactTtlMs) }];
  });
  return JSON.stringify({
    server: { listen: '127.0.0.1:0' },
    managers: {
      addrs: [managerAddress],
      connectTimeout: scaled(managers.connectTimeoutMs),
      requestTimeout: scaled(managers.requestTimeoutMs),
      probe: {
        interval: scaled(managers.probe.intervalMs),
        timeout: scaled(managers.probe.timeoutMs),
        slow: scaled(managers.probe.slowMs),
      },
    },
    cache: {
      responseTimer: scaled(cache.responseTimerMs),
      emptyHold: scaled(cache.emptyHoldMs),
      negativeTtl: scaled(cache.negativeTtlMs),
      methods: Object.fromEntries(methods),
    },
    breaker: { window: scaled(breaker.windowMs), resetTimeout: scaled(breaker.resetTimeoutMs) },
    retry: { backoff: scaled(retry.backoffMs) },
    keepAlive: {
      grace: scaled(keepAlive.graceMs),
      reconcile: scaled(keepAlive.reconcileMs),
      lease: scaled(keepAlive.leaseMs),
    },
    // Each demo begins cold.
    snapshot: { dir: '' },
    metrics: { addr: '127.0.0.1:0' },
    admin: { enable: false },
  });
}
