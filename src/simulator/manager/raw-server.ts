import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import { Server, ServerCredentials, type ServerDuplexStream, type ServerOptions } from '@grpc/grpc-js';
import type { Clock } from '../../rpc/clock.js';
import type { SimulatedTls } from './simulated-manager.js';

export type RawCall = ServerDuplexStream<Buffer, Buffer>;

export interface RawServer {
  readonly port: number;
  readonly connectionsOpen: number;
  readonly connectionsTotal: number;
  /** While frozen, connections are accepted by the kernel and by nobody else. */
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
  const server = createGrpcServer(options);
  const credentials = createCredentials(options.tls);
  const injector = server.createConnectionInjector(credentials);
  const sessions = new Map<ServerHttp2Session, { retire(graceMs: number): void }>();
  http2ServerOf(server).on('session', (session) => {
    sessions.set(session, superviseAge(session, options));
    session.once('close', () => sessions.delete(session));
  });
  const open = new Set<Socket>();
  const held = new Set<Socket>();
  let isFrozen = false;
  let connectionsTotal = 0;

  const listener = createServer({ noDelay: true }, (socket) => {
    connectionsTotal += 1;
    open.add(socket);
    // A peer that is gone ends in 'close'; an unheard 'error' would end the process.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      open.delete(socket);
      held.delete(socket);
    });
    if (isFrozen) held.add(socket);
    else injector.injectConnection(socket);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ host: options.host, port: options.port, exclusive: false }, () => {
      listener.off('error', reject);
      resolve();
    });
  });

  return {
    port: listenerPort(listener.address()),
    get connectionsOpen() {
      return open.size;
    },
    get connectionsTotal() {
      return connectionsTotal;
    },
    setFrozen(frozen) {
      isFrozen = frozen;
      if (frozen) return;
      for (const socket of held) injector.injectConnection(socket);
      held.clear();
    },
    sendGoaway(graceMs) {
      for (const supervision of sessions.values()) supervision.retire(graceMs);
    },
    async kill() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const socket of open) socket.resetAndDestroy();
      server.forceShutdown();
      await closed;
    },
  };
}

function listenerPort(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
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
