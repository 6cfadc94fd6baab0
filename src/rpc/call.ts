import type { GatewayError } from '../errors.js';
import type { Client } from './client.js';
import type { Metadata } from './metadata.js';
import type { Status } from './status.js';

/**
 * How a caller left a call. `cancelled`: it has reset this stream. `connection-lost`: its connection has gone, whoever ended it;
 * also what cannot be told for certain. `deadline`: it waits no longer. `ended-here`: the gateway has ended the call in its own name.
 */
export type Departure = 'cancelled' | 'connection-lost' | 'deadline' | 'ended-here';

/**
 * One call of a caller below, whatever engine carries it. Messages are raw protobuf bytes, already out of
 * their gRPC frames and unpacked where they were compressed.
 *
 * The reading side: `read()` gives one message at a time, `undefined` once the caller has half-closed; it
 * rejects with a GatewayError when what came is no gRPC or over the limits, or when the call was cancelled.
 * The writing side: headers at most once, then messages, then `end` once. Writing to a call that has gone is
 * harmless and does nothing.
 */
export interface Call {
  readonly path: string;
  /** As received, hop-by-hop keys included. */
  readonly metadata: Metadata;
  /** When the caller stops waiting, on the monotonic clock (`Clock.nowMs`), ms; undefined: never. */
  readonly deadlineMs: number | undefined;
  /** Aborted when the caller cancels, its connection breaks, or its deadline passes. */
  readonly signal: AbortSignal;
  /** True once `signal` has been or would have been aborted; cheaper than asking for the signal. */
  readonly cancelled: boolean;
  /** Set when `cancelled` is, and then final. */
  readonly departure: Departure | undefined;
  /** Why its caller may not have the manager asked now; undefined: he may, and it counts. Absent: nobody counts. */
  readonly mayAsk?: () => GatewayError | undefined;
  /** Has the manager asked when it is its connection's turn, or rejects if its caller has gone meanwhile. Absent: there are no turns. */
  askInTurn?<T>(ask: () => Promise<T>): Promise<T>;
  /** Whose connection it came over; undefined: of somebody who was not asked for a certificate. */
  readonly client?: Client | undefined;
  read(): Promise<Buffer | undefined>;
  sendHeaders(metadata: Metadata): void;
  /** Resolves when the caller can take more (flow control); also when the call has gone. */
  sendMessage(message: Buffer): Promise<void>;
  end(status: Status, trailers: Metadata): void;
}

/** What is done with a call. It must end the call; if it rejects, the server ends the call with the error's status. */
export type CallHandler = (call: Call) => Promise<void>;

/** One message up. `deadlineMs` on the monotonic clock; an aborted `signal` cancels the call at the manager. */
export interface UnaryRequest {
  readonly path: string;
  readonly metadata: Metadata;
  readonly message: Buffer;
  readonly deadlineMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Waits for a connection that is being dialled again instead of failing at once (gRPC's wait-for-ready, bounded). */
  readonly waitForReady?: boolean;
}

/** One answer. `message` is undefined where the manager ended OK, or otherwise, without one. */
export interface Reply {
  readonly headers: Metadata;
  readonly message: Buffer | undefined;
  readonly status: Status;
  readonly trailers: Metadata;
}
