import { type EventEmitter, once } from 'node:events';
import {
  constants,
  createSecureServer,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Metadata } from '../../rpc/metadata.js';
import type { Status } from '../../rpc/status.js';
import { freePort } from '../free-port.js';
import { type ScriptedExchange, startExchange } from './scripted-exchange.js';
import type { SimulatedTls } from './simulated-tls.js';

/** One call, with all its messages unless `streaming` was asked for its path. */
export interface ScriptedCall {
  readonly path: string;
  /** As received, every header that is not a pseudo-header, grpc-timeout among them. */
  readonly metadata: Metadata;
  /** Unpacked messages. For a streamed call: those received until now; use `read`. */
  readonly messages: readonly Buffer[];
  /** The next message, undefined after the half-close or when the caller has gone. For paths that `streaming` names. */
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
  /** Written to the stream in place of framed messages: broken frames. */
  readonly rawBody?: Buffer;
  /** Ends without headers of its own: status and trailers in one block, as a server does that has nothing to say. */
  readonly trailersOnly?: boolean;
  /**
   * Default `status`. `never`: the call hangs after its messages. `reset`: RST_STREAM INTERNAL_ERROR after them.
   * `goaway`: GOAWAY first, then the answer. `destroy-connection`: the connection breaks after the messages.
   */
  readonly ending?: 'status' | 'never' | 'reset' | 'goaway' | 'destroy-connection';
};

export type ScriptedManagerOptions = {
  /** Default 127.0.0.1 */
  readonly host?: string;
  /** Default 0: one that is likely to be free when another is started there. */
  readonly port?: number;
  readonly tls?: SimulatedTls;
  /** Default true: every call is kept for `calls()`. After a hundred thousand of them collecting garbage stops whoever is answered for 70 ms. */
  readonly keepsCalls?: boolean;
  /** Paths answered before the caller has half-closed. Default: none. */
  readonly streaming?: (path: string) => boolean;
  answer(call: ScriptedCall): ScriptedAnswer | Promise<ScriptedAnswer>;
};

export type ScriptedSeenCall = {
  readonly path: string;
  readonly metadata: Metadata;
  /** As received: "10S", "9999m". */
  readonly timeout: string | undefined;
  /** Unpacked. */
  readonly messages: readonly Buffer[];
  /** Per message, whether it came compressed. */
  readonly compressed: readonly boolean[];
  readonly halfClosed: boolean;
  /** The caller went away before it had its status. */
  readonly cancelled: boolean;
};

/** A manager without a mind of its own: answers any path, known or not, with whatever the test says. */
export interface ScriptedManager {
  /** host:port */
  readonly address: string;
  readonly port: number;
  readonly stats: {
    readonly connectionsOpen: number;
    readonly connectionsTotal: number;
    readonly callsTotal: number;
    readonly callsOpen: number;
  };
  /** Every call, oldest first. */
  calls(): readonly ScriptedSeenCall[];
  /** GOAWAY on every open connection; calls in flight finish. A Node client without streams keeps the connection. */
  goaway(): void;
  /** Connections drop at once. */
  stop(): Promise<void>;
}

/** The HTTP/2 server under it is bare, so that frames can be broken and any path be answered. */
export async function startScriptedManager(options: ScriptedManagerOptions): Promise<ScriptedManager> {
  const manager = new Script(options);
  await manager.listen(options.port || (await freePort(options.host)));
  return manager;
}

class Script implements ScriptedManager {
  readonly #host: string;
  readonly #server: Http2Server;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  /** All of them, or those that are open. */
  readonly #exchanges = new Set<ScriptedExchange>();
  #callsTotal = 0;
  #connectionsTotal = 0;
  port = 0;

  constructor(options: ScriptedManagerOptions) {
    this.#host = options.host ?? '127.0.0.1';
    this.#server = createHttp2Server(options.tls);
    // 'connection' is the TCP one, before any handshake: what counts is what was opened.
    (this.#server as EventEmitter).on('connection', (socket: Socket) => {
      this.#connectionsTotal += 1;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('error', () => session.destroy());
      session.once('close', () => this.#sessions.delete(session));
    });
    // A failed handshake, or a peer that speaks something else, is its own problem.
    this.#server.on('sessionError', () => {});
    this.#server.on('stream', (stream, headers) => {
      const breakConnection = (): void => this.#break(stream.session?.socket.remotePort);
      const exchange = startExchange(stream, headers, { ...options, breakConnection });
      this.#callsTotal += 1;
      this.#exchanges.add(exchange);
      if (options.keepsCalls === false) stream.once('close', () => this.#exchanges.delete(exchange));
    });
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, this.#host);
    // `once` rejects on an 'error' that comes first.
    await once(this.#server, 'listening');
    this.port = port;
  }

  get address(): string {
    return `${this.#host}:${this.port}`;
  }

  get stats(): ScriptedManager['stats'] {
    return {
      connectionsOpen: this.#sockets.size,
      connectionsTotal: this.#connectionsTotal,
      callsTotal: this.#callsTotal,
      callsOpen: [...this.#exchanges].filter((exchange) => exchange.isOpen).length,
    };
  }

  calls(): readonly ScriptedSeenCall[] {
    return [...this.#exchanges].map((exchange) => exchange.seen);
  }

  goaway(): void {
    for (const session of this.#sessions) retire(session);
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Node lets nobody touch a session's socket, so it is found by its other end. */
  #break(peerPort: number | undefined): void {
    for (const socket of this.#sockets) if (socket.remotePort === peerPort) socket.resetAndDestroy();
  }
}

/** As grpc-go does it: a GOAWAY that refuses nothing yet, and the closing once the caller has seen it. */
function retire(session: ServerHttp2Session): void {
  session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
  session.ping(() => session.close());
}

function createHttp2Server(tls: SimulatedTls | undefined): Http2Server {
  const settings = { maxConcurrentStreams: 1_000_000, initialWindowSize: 4 * 1024 * 1024 };
  if (tls === undefined) return createServer({ settings });
  const { cert, key, caCert, clientAuth = false } = tls;
  return createSecureServer({
    settings,
    cert,
    key,
    ...(caCert === undefined ? {} : { ca: caCert }),
    requestCert: clientAuth,
    rejectUnauthorized: clientAuth,
  });
}
