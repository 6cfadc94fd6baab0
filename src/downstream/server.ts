import http2, { type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { GatewayError } from '../errors.js';
import { type ByteBudget, createByteBudget } from '../rpc/byte-budget.js';
import type { Timer } from '../rpc/clock.js';
import { Connection } from './connection.js';
import { createConnectionsByAddress } from './connections-by-address.js';
import { Deadlines } from './deadlines.js';
import { Draining } from './draining.js';
import type { Downstream, DownstreamOptions, Engine } from './engine.js';
import { createGarbage } from './garbage.js';
import { CONNECTION_WINDOW_BYTES, http2Options } from './http2-options.js';
import { createListener, renewTls } from './listener.js';
import { createReading } from './reading.js';
import { createRecentlyCut, type RecentlyCut } from './recently-cut.js';
import { Turns } from './turns.js';

/** Connections that are opened in the turn in which they come, as long as turns are short. */
const CONNECTIONS_PER_TURN = 16;
/** So long a connection from where one has just been cut off has few streams. */
const TRUSTED_AFTER_MS = 1_000;

/** The listener for callers, over node:http2. Throws GatewayError `config-invalid` where TLS cannot be set up. */
export const createDownstream: Engine = (options) => new NodeDownstream(options);

class NodeDownstream implements Downstream {
  readonly #options: DownstreamOptions;
  readonly #deadlines: Deadlines;
  readonly #budget: ByteBudget;
  readonly #turns: Turns;
  readonly #garbage = createGarbage();
  readonly #byAddress = createConnectionsByAddress();
  readonly #recentlyCut: RecentlyCut;
  readonly #listener: Server;
  readonly #connections = new Set<Connection>();
  /** Every accepted socket, those in a TLS handshake included. */
  readonly #sockets = new Set<Socket>();
  #draining: Draining | undefined;
  #closed = false;
  #turn = -1;
  /** Connections in this turn. */
  #opened = 0;

  constructor(options: DownstreamOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock);
    this.#budget = createByteBudget(() => options.limits.limits.bytesInFlight);
    this.#recentlyCut = createRecentlyCut(options.clock);
    this.#turns = new Turns({ nowMs: () => options.clock.nowMs() });
    this.#listener = createListener(options, (socket) => this.#accept(socket));
    this.#listener.on('connection', (socket: Socket) => this.#own(socket));
  }

  get connections(): number {
    return this.#connections.size;
  }

  listen(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      this.#listener.once('error', (cause) => {
        reject(
          new GatewayError('listen-failed', `server.listen ${host}:${port}: ${cause.message}`, { cause }),
        );
      });
      this.#listener.listen({ host, port }, () => {
        this.#listener.removeAllListeners('error');
        // What accept() says later (EMFILE above all) passes; the listener goes on by itself.
        this.#listener.on('error', (error) => {
          this.#options.emit({ kind: 'internal-error', where: 'downstream listener', error });
        });
        const address = this.#listener.address() as AddressInfo;
        resolve({ host: address.address, port: address.port });
      });
    });
  }

  renewTls(): void {
    renewTls(this.#listener, this.#options.tls);
  }

  drain(deadlineMs: number): Promise<{ clean: boolean }> {
    this.#stopListening();
    this.#draining ??= new Draining(this.#connections, this.#options.clock, deadlineMs);
    return this.#draining.finished;
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
    this.#draining?.cut();
    for (const connection of this.#connections) connection.destroy('drain');
    for (const socket of this.#sockets) socket.destroy();
  }

  #stopListening(): void {
    // Not listening any more, or not yet: both are what is wanted.
    this.#listener.close(() => {});
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** False: the gateway is not stopping. */
  #refusedStopping(socket: Socket): boolean {
    if (!this.#draining && !this.#closed) return false;
    socket.destroy();
    const detail = 'the gateway is stopping';
    this.#options.emit({ kind: 'connection-refused', reason: 'draining', detail });
    return true;
  }

  /** Returns what to call when it has closed; undefined: refused. */
  #admit(socket: Socket): (() => void) | undefined {
    const { limits, emit } = this.#options;
    const { connectionsPerAddress } = limits.limits;
    const released = this.#byAddress.add(socket.remoteAddress ?? '', connectionsPerAddress);
    if (released === undefined) {
      socket.destroy();
      const detail = `${connectionsPerAddress} connections of one address are open, and no more are allowed (server.limits.connectionsPerAddress)`;
      emit({ kind: 'connection-refused', reason: 'max-per-address', detail });
    }
    return released;
  }

  #accept(socket: Socket): void {
    // The session listens too, but lets go of the socket before the socket has closed.
    socket.on('error', () => {});
    if (this.#refusedStopping(socket)) return;
    const released = this.#admit(socket);
    if (released === undefined) return;
    const waitMs = this.#recentlyCut.waitMs(socket.remoteAddress ?? '');
    if (waitMs === 0 && this.#mayOpenNow()) this.#open(socket, released, false);
    else this.#openLater(socket, waitMs, released);
  }

  /** libuv accepts whoever has come, all in one go, and each is a piece of work. */
  #mayOpenNow(): boolean {
    const turn = this.#turns.now;
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#opened = 0;
    }
    this.#opened += 1;
    return this.#opened <= (this.#turns.isLong ? 1 : CONNECTIONS_PER_TURN);
  }

  /** In its turn, and no sooner than in `waitMs`; until then nothing of it is read. */
  #openLater(socket: Socket, waitMs: number, released: () => void): void {
    const afterCut = waitMs > 0;
    if (afterCut) this.#options.emit({ kind: 'connection-delayed' });
    const reading = createReading(socket);
    reading.stop();
    const work = (): false => {
      reading.start();
      if (!socket.destroyed && !this.#refusedStopping(socket)) this.#open(socket, released, afterCut);
      return false;
    };
    const wait = (): void => this.#turns.wait({ work });
    const timer = afterCut ? this.#options.clock.setTimer(waitMs, wait) : undefined;
    if (!afterCut) wait();
    socket.once('close', () => {
      timer?.cancel();
      released();
    });
  }

  #open(socket: Socket, released: () => void, afterCut: boolean): void {
    const session = http2.performServerHandshake(socket, http2Options(this.#options.limits, afterCut));
    const trusted = afterCut ? this.#trustLater(session) : undefined;
    const connection = new Connection({
      session,
      socket,
      downstream: this.#options,
      deadlines: this.#deadlines,
      budget: this.#budget,
      turns: this.#turns,
      garbage: this.#garbage,
      recentlyCut: this.#recentlyCut,
      afterCut,
      onClose: (closed) => {
        trusted?.cancel();
        released();
        this.#connections.delete(closed);
        this.#draining?.check();
      },
      onCallClose: () => this.#draining?.check(),
    });
    this.#connections.add(connection);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  }

  /** Whoever shares the address of one who was cut off is to have what all have. */
  #trustLater(session: ServerHttp2Session): Timer {
    const { limits, clock } = this.#options;
    const { maxConcurrentStreams } = limits;
    return clock.setTimer(TRUSTED_AFTER_MS, () => {
      if (!session.destroyed) session.settings({ maxConcurrentStreams });
    });
  }
}
