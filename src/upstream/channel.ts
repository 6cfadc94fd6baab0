import { isIPv6, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { connectivityState, Channel as GrpcChannel, type StatusObject } from '@grpc/grpc-js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { Metadata } from '../rpc/metadata.js';
import { Code, type Status } from '../rpc/status.js';
import { ChannelCall, type ChannelCallListener } from './channel-call.js';
import { channelOptions } from './channel-options.js';
import { Connection, LINGER_MS } from './connection.js';
import { keepLastMessages } from './last-messages.js';
import { explainStatus } from './local-status.js';
import { grpcTimeout, toGrpcMetadata } from './metadata.js';
import { OwnedCredentials } from './owned-credentials.js';
import { PinnedCredentials } from './pinned-credentials.js';

/** `down`: the last attempt failed and the next one is waiting or under way; calls fail at once. */
export type ChannelState = 'connecting' | 'ready' | 'down' | 'closed';

export interface ChannelTarget {
  readonly ip: string;
  readonly port: number;
  /** `host:port` as configured: the authority of every call, and the manager's name in messages. */
  readonly manager: string;
  /** Asked for each connection; undefined: plaintext. */
  readonly tls: (() => ConnectionOptions) | undefined;
}

export interface ChannelWatcher {
  stateChanged(state: ChannelState): void;
  /** An attempt to connect has taken longer than `connectTimeoutMs`; grpc-js would wait for ever. */
  connectTimedOut(): void;
}

keepLastMessages();

/** grpc-js waits up to 1.2 s between attempts, and hides them once the first has failed. */
export const LONGEST_RECONNECT_MS = 1_500;
const ABANDONED: Status = { code: Code.UNAVAILABLE, message: 'manager-gateway: stopping' };

/** One connection at a time to one manager process, kept up by grpc-js: it dials again by itself after a loss. */
export class Channel {
  readonly #grpc: GrpcChannel;
  readonly #clock: Clock;
  readonly #target: ChannelTarget;
  readonly #connectTimeoutMs: number;
  readonly #watcher: ChannelWatcher;
  readonly #calls = new Set<ChannelCall>();
  readonly #sockets = new Set<Socket>();
  /** Those of `#sockets` that carry no HTTP/2 session yet. */
  readonly #connecting = new Set<Socket>();
  #state: ChannelState = 'connecting';
  #everReady = false;
  #connection: Connection | undefined;
  /** Those before it that have not gone. */
  #left: readonly Connection[] = [];
  #attemptTimer: Timer | undefined;
  #closing: { readonly done: Promise<void>; readonly progress: () => void } | undefined;

  constructor(target: ChannelTarget, connectTimeoutMs: number, clock: Clock, watcher: ChannelWatcher) {
    this.#target = target;
    this.#clock = clock;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#watcher = watcher;
    const credentials = new OwnedCredentials(target.tls, {
      attemptStarted: () => this.#attemptStarted(),
      socketOpened: (socket) => this.#socketOpened(socket),
    });
    const address = isIPv6(target.ip) ? `ipv6:[${target.ip}]` : `ipv4:${target.ip}`;
    this.#grpc = new GrpcChannel(`${address}:${target.port}`, credentials, channelOptions(target.manager));
    this.#grpc.getConnectivityState(true);
    this.#watch();
  }

  get state(): ChannelState {
    return this.#state;
  }

  /** The one that calls go to; only while READY. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Bytes that the manager has sent on the present connection: whether it says anything at all. */
  get bytesReceived(): number {
    return this.#connection?.bytesReceived ?? 0;
  }

  /**
   * Starts a call; hop-by-hop metadata is dropped. While connecting it waits, with no deadline but its owner's
   * `cancel`; `deadlineMs` is only told to the manager. Not after `close`. With `on` it ends UNAVAILABLE rather than be carried
   * by another connection.
   */
  call(
    path: string,
    metadata: Metadata,
    deadlineMs: number | undefined,
    listener: ChannelCallListener,
    on?: Connection,
  ): ChannelCall {
    const headers = toGrpcMetadata(metadata);
    // Told by ourselves rather than through grpc-js, which would set a timer of its own on the wall clock.
    if (deadlineMs !== undefined) headers.set('grpc-timeout', grpcTimeout(deadlineMs - this.#clock.nowMs()));
    const grpcCall = this.#grpc.createCall(path, Infinity, null, null, null);
    if (on) grpcCall.setCredentials(new PinnedCredentials(() => on === this.#connection));
    const { manager, tls } = this.#target;
    const explain = (status: StatusObject): Status =>
      explainStatus(status, manager, tls === undefined && !this.#everReady);
    const call = new ChannelCall(grpcCall, headers, explain, listener, (ended) => {
      this.#calls.delete(ended);
      for (const connection of this.#left) connection.callEnded(ended);
      this.#closing?.progress();
    });
    this.#calls.add(call);
    return call;
  }

  /** No new calls; resolves when those in flight have ended and the connection is gone. Twice is once. */
  close(): Promise<void> {
    if (this.#closing) return this.#closing.done;
    let resolve: () => void = () => {};
    const done = new Promise<void>((settle) => {
      resolve = settle;
    });
    let lingering: Timer | undefined;
    const progress = () => {
      if (this.#calls.size > 0) return;
      if (this.#sockets.size === 0) {
        lingering?.cancel();
        resolve();
      } else {
        lingering ??= this.#clock.setTimer(LINGER_MS, () => this.#destroySockets());
      }
    };
    this.#closing = { done, progress };
    this.#attemptTimer?.cancel();
    this.#state = 'closed';
    this.#setConnection(undefined);
    // Ends calls that wait for a connection, says GOAWAY, and closes once the others have ended.
    this.#grpc.close();
    for (const socket of this.#connecting) socket.destroy();
    progress();
    return done;
  }

  /** As `close`, but calls in flight are cancelled. */
  destroy(): Promise<void> {
    const closed = this.close();
    for (const call of this.#calls) call.cancel(ABANDONED);
    this.#destroySockets();
    return closed;
  }

  #destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #attemptStarted(): void {
    this.#attemptTimer?.cancel();
    if (this.#closing) return;
    const limitMs =
      this.#state === 'down'
        ? Math.max(this.#connectTimeoutMs, LONGEST_RECONNECT_MS)
        : this.#connectTimeoutMs;
    this.#attemptTimer = this.#clock.setTimer(limitMs, () => this.#watcher.connectTimedOut());
  }

  #socketOpened(socket: Socket): void {
    this.#sockets.add(socket);
    this.#connecting.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#connecting.delete(socket);
      this.#closing?.progress();
    });
    if (this.#closing) socket.destroy();
  }

  /** Follows grpc-js's state; after a GOAWAY it would wait for the next call before it dials again. */
  #watch(): void {
    if (this.#closing) return;
    const grpcState = this.#grpc.getConnectivityState(true);
    this.#setState(stateOf(grpcState));
    if (this.#closing) return;
    // Later, because grpc-js calls back in the middle of its own change of state.
    this.#grpc.watchConnectivityState(grpcState, Infinity, () => queueMicrotask(() => this.#watch()));
  }

  #setState(state: ChannelState): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state === 'ready') this.#everReady = true;
    if (state !== 'connecting') this.#attemptTimer?.cancel();
    this.#setConnection(state === 'ready' ? this.#connected() : undefined);
    this.#watcher.stateChanged(state);
  }

  /** grpc-js dials one by one, so the socket opened last is the one. None: it has gone again already. */
  #connected(): Connection | undefined {
    const socket = [...this.#connecting].at(-1);
    this.#connecting.clear();
    return socket && new Connection(socket, this.#clock);
  }

  #setConnection(connection: Connection | undefined): void {
    const old = this.#connection;
    this.#connection = connection;
    if (!old) return;
    this.#left = [...this.#left, old].filter(({ state }) => state !== 'gone');
    old.leave(this.#calls);
  }
}

function stateOf(state: connectivityState): ChannelState {
  switch (state) {
    case connectivityState.READY:
      return 'ready';
    case connectivityState.TRANSIENT_FAILURE:
      return 'down';
    case connectivityState.SHUTDOWN:
      return 'closed';
    case connectivityState.IDLE:
    case connectivityState.CONNECTING:
      return 'connecting';
  }
}
