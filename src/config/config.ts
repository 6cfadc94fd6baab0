import type { ClientRule } from './client-rule.js';
import type { Method } from './methods.js';
import type { WarmupRequest } from './warmup-request.js';

export type Mode = 'answer' | 'observe' | 'bypass';

/** PEM text, already read; empty string: not set. */
export type TlsFiles = { readonly caCert: string; readonly cert: string; readonly key: string };

/** TTLs of one method, ms. `exactTtlMs` is for answers that are one caller's own. */
export type MethodTtl = { readonly ttlMs: number; readonly swrMs: number; readonly exactTtlMs: number };

/** One entry of `managers.addrs`, parsed. */
export type ManagerAddress = {
  /** As the operator wrote it. */
  readonly text: string;
  /** `every`: `dns:///`, each address behind the name is a manager. */
  readonly resolve: 'one' | 'every';
  readonly host: string;
  readonly port: number;
  /** `https://` or `managers.tls` set. */
  readonly tls: boolean;
};

/** The configuration as the code uses it: durations in ms, addresses parsed, PEM read, defaults filled in. */
export type Config = {
  readonly fleet: { readonly id: string };
  readonly mode: Mode;
  readonly server: {
    /** Of each address to listen on: `host` empty means every interface, `port` 0 any free one. */
    readonly listen: { readonly host: string; readonly port: number };
    readonly engine: 'node';
    readonly tls: TlsFiles & { readonly clientAuth: 'none' | 'request' | 'require' };
    readonly clients: {
      readonly mode: 'off' | 'warn' | 'enforce';
      readonly rules: readonly ClientRule[];
    };
    readonly maxConnections: number;
    readonly maxConcurrentStreams: number;
    readonly maxMetadataBytes: number;
    readonly maxMessageBytes: number;
    readonly ping: { readonly intervalMs: number; readonly timeoutMs: number };
    /** 0: none. */
    readonly limits: {
      readonly connectionsPerAddress: number;
      /** From accept, or the end of the TLS handshake, to the first SETTINGS. */
      readonly firstFrameTimeoutMs: number;
      /** Without a call. */
      readonly idleTimeoutMs: number;
      readonly resetsPerSecond: number;
      readonly pingsPerSecond: number;
      readonly settingsPerSecond: number;
      readonly refusalsPerSecond: number;
      readonly asksPerSecond: number;
      /** Of all callers together: request messages that have begun and are not whole. */
      readonly bytesInFlight: number;
      /** 0: by what the process may have. */
      readonly memory: number;
    };
    readonly drainTimeoutMs: number;
  };
  readonly managers: {
    readonly addrs: readonly ManagerAddress[];
    readonly tls: TlsFiles & { readonly serverName: string };
    readonly channelsPerAddr: number;
    readonly connectTimeoutMs: number;
    readonly requestTimeoutMs: number;
    readonly maxInFlight: number;
    readonly probe: { readonly intervalMs: number; readonly timeoutMs: number; readonly slowMs: number };
  };
  readonly cache: {
    readonly maxBytes: number;
    readonly responseTimerMs: number;
    readonly maxStaleMs: number;
    readonly sharing: 'exact' | 'scope' | 'cidr';
    readonly emptyHoldMs: number;
    readonly negativeTtlMs: number;
    readonly methods: Readonly<Record<Method, MethodTtl>>;
  };
  readonly redis: {
    readonly addrs: readonly string[];
    readonly mode: 'single' | 'sentinel' | 'cluster';
    readonly masterName: string;
    readonly username: string;
    readonly password: string;
    readonly sentinelPassword: string;
    readonly db: number;
    readonly keyPrefix: string;
    readonly secret: string;
    readonly timeoutMs: number;
    readonly tls: TlsFiles & { readonly enable: boolean; readonly serverName: string };
  };
  readonly snapshot: { readonly dir: string; readonly intervalMs: number };
  readonly breaker: {
    readonly volumeThreshold: number;
    readonly errorRate: number;
    readonly windowMs: number;
    readonly resetTimeoutMs: number;
  };
  readonly retry: { readonly maxAttempts: number; readonly backoffMs: number; readonly budget: number };
  readonly keepAlive: {
    readonly graceMs: number;
    readonly reconcileMs: number;
    readonly leaseMs: number;
    readonly portCheckMs: number;
  };
  readonly registrations: { readonly whenDown: 'known' | 'refuse' };
  readonly warmup: {
    readonly timeoutMs: number;
    readonly rate: number;
    readonly requests: readonly WarmupRequest[];
  };
  readonly metrics: {
    readonly enable: boolean;
    readonly addr: { readonly host: string; readonly port: number };
  };
  readonly admin: {
    readonly enable: boolean;
    readonly addr: { readonly host: string; readonly port: number };
    readonly token: string;
    /** Names, `*.name`, or `*`. */
    readonly hosts: readonly string[];
  };
  /** `endpoint` "": no spans; else a whole URL. `sample` 0 to 1. */
  readonly tracing: { readonly endpoint: string; readonly sample: number };
  readonly log: { readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' };
};
