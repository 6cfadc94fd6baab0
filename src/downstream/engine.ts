import type { Config } from '../config/config.js';
import type { GatewayError } from '../errors.js';
import type { Callers } from '../observe/callers.js';
import type { Emit } from '../observe/events.js';
import type { CallHandler } from '../rpc/call.js';
import type { Clock } from '../rpc/clock.js';
import type { AtOnce } from '../rpc/ready-answer.js';

/** What one caller may take of what is there for all; 0: as much as it likes. */
export type CallerLimits = Omit<Config['server']['limits'], 'memory'>;

export interface DownstreamLimits {
  /** Counted from TCP's accept on, handshakes included; one more is closed at once. */
  readonly maxConnections: number;
  /** Per connection. */
  readonly maxConcurrentStreams: number;
  /** Of one call, counted as HTTP/2 does (RFC 9113 §6.5.2): names + values + 32 bytes each. */
  readonly maxMetadataBytes: number;
  /** Of one message of a caller, packed and unpacked. */
  readonly maxMessageBytes: number;
  readonly ping: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly limits: CallerLimits;
}

export interface DownstreamOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** TLS when `cert` and `key` are set. */
  readonly tls: Config['server']['tls'];
  /** Read when they are needed: a reload of the configuration changes them. */
  readonly limits: DownstreamLimits;
  /** Where a path has a limit of its own. */
  readonly maxMessageBytesFor?: (path: string) => number;
  /** Told of who connects; what is told to it decides nothing. */
  readonly callers?: Pick<Callers, 'opened'>;
  /** Why nobody may have the manager asked now; undefined: he may, as far as he himself has not asked too much. */
  readonly objection?: () => GatewayError | undefined;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly handler: CallHandler;
  /** Asked before the handler. */
  readonly atOnce?: AtOnce;
}

/** The listener for callers. It calls `handler` for each call and owns every connection. */
export interface Downstream {
  /** Where it really listens. Rejects with GatewayError `listen-failed`. */
  listen(): Promise<{ host: string; port: number }>;
  readonly connections: number;
  /** `tls` holds other certificates: connections that come from now on meet them. */
  renewTls(): void;
  /**
   * Accepts nothing new, says GOAWAY, and lets calls in flight finish. Those that have not by shortly before
   * `deadlineMs` (monotonic clock) end UNAVAILABLE; at `deadlineMs` what is left is cut. `clean`: no call was cut short.
   */
  drain(deadlineMs: number): Promise<{ clean: boolean }>;
  /** Cuts everything at once. */
  close(): void;
}

/** What carries the calls. All it has to bring are connections, calls and the two ways to stop. */
export type Engine = (options: DownstreamOptions) => Downstream;
