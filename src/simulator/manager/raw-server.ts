import { once } from 'node:events';
import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { createServer, type Socket, type Server as TcpServer } from 'node:net';
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerOptions,
} from '@grpc/grpc-js';
import type { Clock } from '../../rpc/clock.js';
import type { SimulatedTls } from './simulated-tls.js';

export type RawCall = ServerDuplexStream<Buffer, Buffer>;

export interface RawServer {
  readonly connectionsOpen: number;
  readonly connectionsTotal: number;
  /** While frozen, connections are accepted and left alone: no SETTINGS, no answer. */
  setFrozen(isFrozen: boolean): void;
  /** GOAWAY on the connections that are open now; what is in flight has `graceMs`. */
  sendGoaway(graceMs: number): void;
  /** Drops every connection at once. */
  kill(): Promise<void>;
}

export type RawServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly tls: SimulatedTls | undefined;
  /** Each connection lives as long, ±10 %, and then has the grace for what is in flight. */
  readonly connectionAgeMs: number;
  readonly connectionAgeGraceMs: number;
  readonly connectionIdleMs: number;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  onCall(call: RawCall): void;
};

/** setTimeout fires at once for longer delays. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Reads and writes nothing: messages are raw bytes here. */
const identity = (bytes: Buffer): Buffer => bytes;

/**
 * grpc-js's server behind a listener of our own, so that connections can be counted, held and dropped. Every path
 * arrives at `onCall` as a stream of raw messages: only so can a KeepAlive end OK without a message, and an unknown
 * method be refused in grpc-go's words.
 */
export async function startRawServer(options: RawServerOptions): Promise<RawServer> {
  const server = new ListeningServer(options);
  await server.listen(options.host, options.port);
  return server;
}

class ListeningServer implements RawServer {
  readonly #server: Server;
  readonly #injector: ConnectionInjector;
  readonly #listener: TcpServer;
  readonly #sessions = new Map<ServerHttp2Session, { retire(graceMs: number): void }>();
  readonly #open = new Set<Socket>();
  readonly #held = new Set<Socket>();
  #isFrozen = false;
  connectionsTotal = 0;

  constructor(options: RawServerOptions) {
    this.#server = createGrpcServer(options);
    this.#injector = this.#server.createConnectionInjector(createCredentials(options.tls));
    http2ServerOf(this.#server).on('session', (session) => {
      this.#sessions.set(session, superviseAge(session, options));
      session.once('close', () => this.#sessions.delete(session));
    });
    this.#listener = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  async listen(host: string, port: number): Promise<void> {
    this.#listener.listen({ host, port });
    // `once` rejects on an 'error' that comes first.
    await once(this.#listener, 'listening');
  }

  get connectionsOpen(): number {
    return this.#open.size;
  }

  setFrozen(isFrozen: boolean): void {
    this.#isFrozen = isFrozen;
    if (isFrozen) return;
    for (const socket of this.#held) this.#injector.injectConnection(socket);
    this.#held.clear();
  }

  sendGoaway(graceMs: number): void {
    for (const supervision of this.#sessions.values()) supervision.retire(graceMs);
  }

  async kill(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const socket of this.#open) socket.resetAndDestroy();
    this.#server.forceShutdown();
    await closed;
  }

  #accept(socket: Socket): void {
    this.connectionsTotal += 1;
    this.#open.add(socket);
    // A peer that is gone ends in 'close'; an unheard 'error' would end the process.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#held.delete(socket);
    });
    if (this.#isFrozen) this.#held.add(socket);
    else this.#injector.injectConnection(socket);
  }
}

function createCredentials(tls: SimulatedTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const roots = tls.caCert === undefined ? null : Buffer.from(tls.caCert);
  const pair = { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) };
  return ServerCredentials.createSsl(roots, [pair], tls.clientAuth ?? false);
}

function createGrpcServer(options: RawServerOptions): Server {
  const settings: ServerOptions = {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.enable_channelz': 0,
    'grpc.max_connection_idle_ms': Math.min(options.connectionIdleMs, LONGEST_DELAY_MS),
  };
  const server = new Server(settings);
  handleEveryPath(server, options.onCall);
  return server;
}

/**
 * Ends a connection as grpc-go does: a GOAWAY that refuses nothing yet; then, when a ping has shown that the caller
 * has seen it, or after a minute, the closing; after the grace the end. (grpc-js's own ageing refuses what crosses its
 * GOAWAY on the wire. A Node client without streams never answers the ping.)
 */
function superviseAge(
  session: ServerHttp2Session,
  options: RawServerOptions,
): { retire(graceMs: number): void } {
  const { clock, random, connectionAgeMs, connectionAgeGraceMs } = options;
  const timers = [
    clock.setTimer(connectionAgeMs * (0.9 + 0.2 * random()), () => retire(connectionAgeGraceMs)),
  ];
  const cancelTimers = (): void => {
    for (const timer of timers.splice(0)) timer.cancel();
  };
  const close = (): void => {
    if (!session.closed) session.close();
  };
  const retire = (graceMs: number): void => {
    cancelTimers();
    if (session.destroyed) return;
    session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM_ID);
    session.ping(close);
    timers.push(clock.setTimer(Math.min(PING_LIMIT_MS, graceMs), close));
    timers.push(clock.setTimer(graceMs, () => session.destroy()));
  };
  session.once('close', cancelTimers);
  return { retire };
}

/** How long grpc-go waits for the answer to that ping. */
const PING_LIMIT_MS = 60_000;
const LAST_STREAM_ID = 2 ** 31 - 1;

/** The HTTP/2 server that the injector has just made; grpc-js (1.14) keeps it in a private Map. */
function http2ServerOf(server: Server): Http2Server {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  const [http2Server] = servers instanceof Map ? servers.keys() : [];
  if (http2Server === undefined) throw new Error('this grpc-js keeps its HTTP/2 servers elsewhere');
  return http2Server;
}

/**
 * grpc-js refuses paths without a handler before anybody is asked, and has no way to add one for all of them. Its
 * table of handlers is a Map in a private field (1.14); this gives it one that knows every path. If a newer grpc-js
 * keeps them elsewhere, the tests for unknown methods say so.
 */
function handleEveryPath(server: Server, onCall: (call: RawCall) => void): void {
  const handler = { func: onCall, serialize: identity, deserialize: identity, type: 'bidi' };
  class EveryPath extends Map<string, unknown> {
    override get(path: string): unknown {
      return { ...handler, path };
    }
    override has(): boolean {
      return true;
    }
  }
  Reflect.set(server, 'handlers', new EveryPath());
}
