import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { GatewayError } from '../errors.js';
import type { CallerConnection } from '../observe/callers.js';
import type { ConnectionCloseReason } from '../observe/events.js';
import type { ByteBudget } from '../rpc/byte-budget.js';
import type { Departure } from '../rpc/call.js';
import type { Metadata } from '../rpc/metadata.js';
import type { Admission } from './admission.js';
import { createAdmitting } from './admitting.js';
import { Calls } from './calls.js';
import { clientOf } from './client-of.js';
import { Conduct } from './conduct.js';
import type { Deadlines } from './deadlines.js';
import type { DownstreamOptions } from './engine.js';
import type { Garbage } from './garbage.js';
import { Liveness } from './liveness.js';
import { createReading } from './reading.js';
import type { RecentlyCut } from './recently-cut.js';
import { refuse } from './refusal.js';
import { Share } from './share.js';
import type { Turns } from './turns.js';

export interface ConnectionOptions {
  readonly session: ServerHttp2Session;
  /** Below the session, which would politely wait for a peer that never answers. */
  readonly socket: Socket;
  readonly downstream: DownstreamOptions;
  readonly deadlines: Deadlines;
  readonly budget: ByteBudget;
  readonly turns: Turns;
  readonly garbage: Garbage;
  readonly recentlyCut: RecentlyCut;
  /** It had to wait, because one from the same address had just been cut off. */
  readonly afterCut: boolean;
  readonly onClose: (connection: Connection) => void;
  /** A call has gone; the owner may be waiting for the last one. */
  readonly onCallClose: () => void;
}

const ignore = (): void => {};

/** One connection of a caller: its session, its calls, its pings. It owns the socket. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #session: ServerHttp2Session;
  readonly #calls: Calls;
  #closeReason: ConnectionCloseReason | undefined;
  #caller: CallerConnection | undefined;
  #spoke = false;
  readonly #admit: (raw: readonly string[]) => Admission;
  /** By our own stopping. */
  #cut = false;
  #closed = false;
  readonly #conduct: Conduct;
  readonly #share: Share;
  readonly #liveness: Liveness;
  /** When the last call ended, or the connection began. */
  #idleSinceMs: number;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#admit = createAdmitting(options.downstream.limits);
    const { limits, clock, tls } = options.downstream;
    // Asked for while the socket has one.
    const address = options.socket.remoteAddress ?? '';
    this.#share = new Share({
      turns: options.turns,
      reading: createReading(options.socket),
      afterCut: options.afterCut,
      clock,
    });
    this.#idleSinceMs = clock.nowMs();
    this.#calls = new Calls({
      downstream: options.downstream,
      deadlines: options.deadlines,
      budget: options.budget,
      client: tls.clientAuth === 'none' ? undefined : clientOf(options.socket),
      departureNow: this.#departureNow,
      mayAsk: () => this.#conduct.mayAsk(),
      onClose: (cancelled) => this.#onCallClose(cancelled),
    });
    this.#conduct = new Conduct({
      downstream: options.downstream,
      address,
      garbage: options.garbage,
      recentlyCut: options.recentlyCut,
      afterCut: options.afterCut,
      gone: () => this.#closed || this.#session.destroyed,
      received: () => ({
        bytes: options.socket.bytesRead,
        messageBytes: this.#calls.messageBytes,
        waitingCalls: this.#share.waiting,
      }),
      condemn: () => this.#condemn(),
    });
    this.#liveness = new Liveness({
      session: options.session,
      limits,
      clock,
      idleSinceMs: () => (this.openCalls > 0 ? undefined : this.#idleSinceMs),
      isFlooding: () => this.#conduct.isFlooding(),
      // In turn: two thousand that came together and said nothing are over their time together, too.
      cut: (reason) => options.turns.wait({ work: () => this.#cutInTurn(reason) }),
      leave: (reason) => this.#leave(reason),
    });
    this.#listen();
    this.#caller = options.downstream.callers?.opened(address);
    options.downstream.emit({ kind: 'connection-opened' });
  }

  get openCalls(): number {
    return this.#calls.open + this.#share.waiting;
  }

  /** GOAWAY; what is in flight goes on, and with its end the connection closes. */
  drain(): void {
    this.#leave('drain');
  }

  #leave(reason: ConnectionCloseReason): void {
    this.#closeReason ??= reason;
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close();
  }

  /** Ends every call that is still open, with a status that makes clients come back. Returns how many there were. */
  endCalls(error: GatewayError): number {
    return this.#calls.end(error);
  }

  /** At once, without waiting for the peer. */
  destroy(reason: ConnectionCloseReason): void {
    this.#closeReason ??= reason;
    if (reason === 'limit') this.#conduct.cutting();
    this.#cut = reason === 'drain';
    this.#share.end();
    if (!this.#session.destroyed) this.#session.destroy();
    this.#options.socket.destroy();
  }

  #cutInTurn(reason: ConnectionCloseReason): false {
    this.destroy(reason);
    return false;
  }

  #listen(): void {
    const session = this.#session;
    session.on('stream', (stream, _headers, _flags, raw?: string[]) => this.#onStream(stream, raw ?? []));
    session.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    session.once('remoteSettings', () => {
      this.#liveness.spoke();
      session.on('remoteSettings', () => this.#onFrame('settings'));
    });
    session.on('ping', () => this.#onFrame('ping'));
    // A frame that could not be sent; its stream fails by itself, and says so to the call.
    session.on('frameError', () => {});
    this.#options.socket.once('close', () => this.#onClose());
  }

  #onStream(stream: ServerHttp2Stream, raw: readonly string[]): void {
    // Each reason for an error of a stream (a reset, a lost connection, headers too large to send) ends in 'close'.
    stream.on('error', ignore);
    this.#conduct.stream(raw);
    // It goes with its connection.
    if (this.#conduct.condemned) return;
    if (this.#share.take()) this.#take(stream, raw);
    else this.#share.later(() => this.#take(stream, raw));
  }

  /** False: it has gone, and costs nothing. */
  #take(stream: ServerHttp2Stream, raw: readonly string[]): boolean {
    if (stream.destroyed || stream.closed) {
      this.#conduct.reset();
      return false;
    }
    this.#admitCall(stream, raw);
    return true;
  }

  #admitCall(stream: ServerHttp2Stream, raw: readonly string[]): void {
    const admission = this.#admit(raw);
    this.#conduct.turn();
    if (admission.kind === 'call') {
      this.#hear(admission.metadata);
      this.#calls.begin(stream, admission);
      return;
    }
    this.#conduct.refused(admission.reason, admission.error);
    refuse(stream, admission, this.#options.downstream.clock, this.#calls.report);
  }

  /** Who he says he is, with his first call. */
  #hear(metadata: Metadata): void {
    if (this.#spoke) return;
    this.#spoke = true;
    this.#caller?.spoke(String(metadata['user-agent'] ?? ''));
  }

  /**
   * Frames are handled one by one, so a reset is told of while its connection still stands, even if the connection's end came
   * in the same packet. Streams of a lost connection are closed by node:http2 itself, as if they had been cancelled, but only
   * once the socket, or the session, is destroyed.
   */
  readonly #departureNow = (): Departure => {
    if (this.#cut) return 'ended-here';
    return this.#session.destroyed || this.#options.socket.destroyed ? 'connection-lost' : 'cancelled';
  };

  #onFrame(kind: 'ping' | 'settings'): void {
    this.#share.frame();
    this.#conduct[kind]();
  }

  /**
   * Who does too much is cut off, without ceremony: each frame of ceremony would be another to pay for. Never while frames
   * are being read: Node 20 and 22 abort when a session goes away under nghttp2 (nodejs/node#38964). And one in a turn: of hundreds of streams it takes 10 ms.
   */
  #condemn(): void {
    this.#share.end();
    this.#options.turns.alone(() => this.destroy('limit'));
  }

  #onCallClose(cancelled: boolean): void {
    if (cancelled) this.#conduct.reset();
    this.#idleSinceMs = this.#options.downstream.clock.nowMs();
    this.#conduct.turn();
    this.#options.onCallClose();
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return;
    // Also ERR_HTTP2_TOO_MANY_INVALID_FRAMES, and what else node:http2 gives a connection up for.
    const broken = error.code?.startsWith('ERR_HTTP2_') === true;
    this.#closeReason ??= broken ? 'protocol-error' : 'error';
    if (broken)
      this.#options.downstream.emit({ kind: 'bad-input', reason: 'protocol', detail: error.message });
  }

  #onClose(): void {
    // The session tells of its error only after its socket has closed, and then on a later tick.
    setImmediate(() => {
      if (this.#closed) return;
      this.#closed = true;
      this.#liveness.stop();
      this.#share.end();
      if (!this.#session.destroyed) this.#session.destroy();
      this.#caller?.closed();
      this.#conduct.closed(this.#closeReason);
      this.#options.downstream.emit({ kind: 'connection-closed', reason: this.#closeReason ?? 'client' });
      this.#options.onClose(this);
    });
  }
}
