import type { Config, ManagerAddress, MethodTtl } from './config.js';
import type { Method } from './methods.js';
import type { PemFiles } from './pem-files.js';
import type { Settings } from './schema.js';

/** The configuration as the code uses it, from settings that have passed every check. */
export function toConfig(settings: Settings, pem: PemFiles): Config {
  const { fleet, mode, retry, registrations, warmup, metrics, admin, log, tracing } = settings;
  return {
    fleet,
    mode,
    server: serverConfig(settings.server, pem),
    managers: managersConfig(settings.managers, pem),
    cache: cacheConfig(settings.cache),
    redis: redisConfig(settings.redis, pem),
    snapshot: { dir: settings.snapshot.dir, intervalMs: settings.snapshot.interval },
    breaker: {
      volumeThreshold: settings.breaker.volumeThreshold,
      errorRate: settings.breaker.errorRate,
      windowMs: settings.breaker.window,
      resetTimeoutMs: settings.breaker.resetTimeout,
    },
    retry: { maxAttempts: retry.maxAttempts, backoffMs: retry.backoff, budget: retry.budget },
    keepAlive: {
      graceMs: settings.keepAlive.grace,
      reconcileMs: settings.keepAlive.reconcile,
      leaseMs: settings.keepAlive.lease,
      portCheckMs: settings.keepAlive.portCheck,
    },
    registrations,
    warmup: { timeoutMs: warmup.timeout, rate: warmup.rate, requests: warmup.requests },
    metrics,
    admin,
    log,
    tracing,
  };
}

function serverConfig(
  {
    ping,
    limits: { firstFrameTimeout, idleTimeout, ...limits },
    drainTimeout,
    tls,
    ...server
  }: Settings['server'],
  pem: PemFiles,
): Config['server'] {
  return {
    ...server,
    tls: { ...pem.server, clientAuth: tls.clientAuth },
    ping: { intervalMs: ping.interval, timeoutMs: ping.timeout },
    limits: { ...limits, firstFrameTimeoutMs: firstFrameTimeout, idleTimeoutMs: idleTimeout },
    drainTimeoutMs: drainTimeout,
  };
}

function managersConfig(managers: Settings['managers'], pem: PemFiles): Config['managers'] {
  const hasFiles = pem.managers.caCert !== '' || pem.managers.cert !== '';
  const { probe } = managers;
  return {
    addrs: managers.addrs.map(
      (address): ManagerAddress => ({
        ...address,
        tls: address.tls === 'fromFiles' ? hasFiles : address.tls === 'on',
      }),
    ),
    tls: { ...pem.managers, serverName: managers.tls.serverName },
    channelsPerAddr: managers.channelsPerAddr,
    connectTimeoutMs: managers.connectTimeout,
    requestTimeoutMs: managers.requestTimeout,
    maxInFlight: managers.maxInFlight,
    probe: { intervalMs: probe.interval, timeoutMs: probe.timeout, slowMs: probe.slow },
  };
}

function cacheConfig(cache: Settings['cache']): Config['cache'] {
  const ttls = Object.entries(cache.methods).map(([method, { ttl, swr, exactTtl }]): [string, MethodTtl] => [
    method,
    { ttlMs: ttl, swrMs: swr, exactTtlMs: exactTtl ?? ttl },
  ]);
  return {
    maxBytes: cache.maxBytes,
    responseTimerMs: cache.responseTimer,
    maxStaleMs: cache.maxStale,
    sharing: cache.sharing,
    emptyHoldMs: cache.emptyHold,
    negativeTtlMs: cache.negativeTtl,
    // The schema has exactly the methods of METHODS.
    methods: Object.fromEntries(ttls) as Record<Method, MethodTtl>,
  };
}

function redisConfig({ timeout, tls, ...redis }: Settings['redis'], pem: PemFiles): Config['redis'] {
  return {
    ...redis,
    timeoutMs: timeout,
    tls: { enable: tls.enable, serverName: tls.serverName, ...pem.redis },
  };
}
