import type { Metadata } from '../../rpc/metadata.js';
import type { Status } from '../../rpc/status.js';
import type { SimulatedTls } from './simulated-manager.js';

/** One call, with all its messages unless `streaming` was asked for its path. */
export interface ScriptedCall {
  readonly path: string;
  /** As received, every header that is not a pseudo-header, grpc-timeout among them. */
  readonly metadata: Metadata;
  /** Unpacked messages. For a streamed call: those received until now; use `read`. */
  readonly messages: readonly Buffer[];
  /** The next message, undefined after the half-close. Only for paths that `streaming` names. */
  read(): Promise<Buffer | undefined>;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
}

/** What to say. Sent in this order: headers, messages, status and trailers. */
export type ScriptedAnswer = {
  readonly headers?: Metadata;
  /** None: the call ends without a message. An async iterable is written as it comes. */
  readonly messages?: readonly Buffer[] | AsyncIterable<Buffer>;
  /** Default OK. */
  readonly status?: Status;
  readonly trailers?: Metadata;
  /** Compresses every message and says so. */
  readonly compression?: 'gzip' | 'deflate';
  /** Bytes written to the stream in place of framed messages: broken frames. */
  readonly rawBody?: Buffer;
  /** `never`: the call hangs. `reset`: RST_STREAM INTERNAL_ERROR after the messages. `goaway`: GOAWAY first, then the answer. */
  readonly ending?: 'status' | 'never' | 'reset' | 'goaway' | 'destroy-connection';
};

export type ScriptedManagerOptions = {
  readonly host?: string;
  readonly port?: number;
  readonly tls?: SimulatedTls;
  /** Paths answered before the caller has half-closed. Default: none. */
  readonly streaming?: (path: string) => boolean;
  answer(call: ScriptedCall): ScriptedAnswer | Promise<ScriptedAnswer>;
};

export type ScriptedSeenCall = {
  readonly path: string;
  readonly metadata: Metadata;
  /** As received: "10S", "9999m". */
  readonly timeout: string | undefined;
  readonly messages: readonly Buffer[];
  readonly cancelled: boolean;
};

/** A manager without a mind of its own: answers any path, known or not, with whatever the test says. */
export interface ScriptedManager {
  readonly address: string;
  readonly port: number;
  readonly stats: {
    readonly connectionsOpen: number;
    readonly connectionsTotal: number;
    readonly callsTotal: number;
  };
  calls(): readonly ScriptedSeenCall[];
  /** GOAWAY on every open connection; calls in flight finish. */
  goaway(): void;
  /** Connections drop at once. */
  stop(): Promise<void>;
}

export async function startScriptedManager(_options: ScriptedManagerOptions): Promise<ScriptedManager> {
  throw new Error('not built yet');
}
