import type { Clock } from '../../rpc/clock.js';
import type { Metadata } from '../../rpc/metadata.js';
import type { Fault, FaultKind } from './fault.js';
import type { ManagerRecord } from './manager-record.js';

export type ManagerVersion = 'v2.1.55' | 'v2.5.1';

/** PEM text. `clientAuth`: ask for and verify the caller's certificate against `caCert`. */
export type SimulatedTls = {
  readonly cert: string;
  readonly key: string;
  readonly caCert?: string;
  readonly clientAuth?: boolean;
};

export type SimulatedManagerOptions = {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Default v2.5.1. */
  readonly version?: ManagerVersion;
  /** 1 is real time, the default; with 10 its cache minutes and intervals pass ten times as fast. */
  readonly timeFactor?: number;
  readonly clock?: Clock;
  /** Of everything random. Default 1. */
  readonly seed?: number;
  readonly tls?: SimulatedTls;
  /** Rows shared between managers or kept across restarts; default: the rows of the recordings, all active. */
  readonly record?: ManagerRecord;
  /** GOAWAY after this age, ±10 %, ms of real time. Default: 12 h over the time factor. */
  readonly connectionAgeMs?: number;
  /**
   * How late the "inactive" of a cancelled KeepAlive is written, ms of real time, at random between these two.
   * The default loses the race against an immediate reopening in about 17 of 40 tries.
   */
  readonly lateInactiveMs?: { readonly min: number; readonly max: number };
};

export type SeenCall = {
  readonly path: string;
  /** The messages received, one after the other, without their frames; the first 64 KiB. */
  readonly requestBytes: Buffer;
  readonly messages: number;
  readonly metadata: Metadata;
  /** When the caller stops waiting, Unix ms; undefined: never. */
  readonly deadlineWallMs: number | undefined;
  /** The caller went away before it had a status. */
  readonly cancelled: boolean;
  /** undefined while the call runs, and when it was cancelled. */
  readonly code: number | undefined;
};

export type SimulatedManagerStats = {
  readonly connectionsOpen: number;
  readonly connectionsTotal: number;
  readonly callsTotal: number;
  readonly callsOpen: number;
  readonly keepAliveStreamsOpen: number;
  readonly cancelledTotal: number;
  /** By full path. */
  readonly callsByMethod: Readonly<Record<string, number>>;
  /** By status code, as text, of the calls that have ended. */
  readonly callsByCode: Readonly<Record<string, number>>;
};

export interface SimulatedManager {
  /** host:port */
  readonly address: string;
  readonly port: number;
  readonly version: ManagerVersion;
  readonly record: ManagerRecord;
  /** A copy of the counters as they are now. Counted over restarts. */
  readonly stats: SimulatedManagerStats;
  readonly running: boolean;
  setFault(fault: Fault): void;
  clearFault(kind: FaultKind): void;
  clearFaults(): void;
  /** The newest 10,000 calls, oldest first. */
  calls(): readonly SeenCall[];
  forgetCalls(): void;
  /** As kill -9: connections drop at once, rows stay as they are. */
  stop(): Promise<void>;
  /** On the same port, with the same record; what was cached in the process is gone. Faults stay set. */
  restart(): Promise<void>;
}

export async function startSimulatedManager(
  _options: SimulatedManagerOptions = {},
): Promise<SimulatedManager> {
  throw new Error('not built yet');
}
