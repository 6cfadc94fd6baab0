import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { GatewayError } from '../errors.js';
import type { CallerConnection } from '../observe/callers.js';
import type { BadInputReason, ConnectionCloseReason } from '../observe/events.js';
import type { Departure } from '../rpc/call.js';
import type { Metadata } from '../rpc/metadata.js';
import type { Admission } from './admission.js';
import { createAdmitting } from './admitting.js';
import type { ByteBudget } from './byte-budget.js';
import { Calls } from './calls.js';
import { clientOf } from './client-of.js';
import { ConnectionLimits } from './connection-limits.js';
import type { Deadlines } from './deadlines.js';
import { createEmptyFrames } from './empty-frames.js';
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

/** A refusal of large metadata costs as much as so many others: all of it has been received, and is garbage. The fourth in a burst is the last. */
const LARGE_WEIGHT = 60;

/** Of delay for whoever comes next from there, and one more for each stream of it. */
const MISTAKE_MS = 5;

const ignore = (): void => {};

/** One connection of a caller: its session, its calls, its pings. It owns the socket. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #session: ServerHttp2Session;
  readonly #calls: Calls;
  #closeReason: ConnectionCloseReason | undefined;
  #caller: CallerConnection | undefined;
  /** Asked for while it has one. */
  readonly #address: string;
  #spoke = false;
  readonly #admit: (raw: readonly string[]) => Admission;
  /** By our own stopping. */
  #cut = false;
  #closed = false;
  /** Over a limit, and to be cut off in a moment. */
  #condemned = false;
  readonly #limits: ConnectionLimits;
  readonly #share: Share;
  readonly #liveness: Liveness;
  /** Calls that have begun or ended, and how many had by the last ping. */
  #turns = 0;
  #turnsAtPing = 0;
  /** That have come, ever. */
  #streams = 0;
  /** When the last call ended, or the connection began. */
  #idleSinceMs: number;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#admit = createAdmitting(options.downstream.limits);
    const { limits, clock, emit, tls } = options.downstream;
    this.#limits = new ConnectionLimits({ limits: limits.limits, afterCut: options.afterCut, clock, emit });
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
      mayAsk: () => this.#mayAsk(),
      onClose: (cancelled) => this.#onCallClose(cancelled),
    });
    const emptyFrames = createEmptyFrames({
      received: () => ({
        bytes: options.socket.bytesRead,
        calls: this.#turns + this.#share.waiting,
        messageBytes: this.#calls.messageBytes,
      }),
      clock,
    });
    this.#liveness = new Liveness({
      session: options.session,
      limits,
      clock,
      idleSinceMs: () => (this.openCalls > 0 ? undefined : this.#idleSinceMs),
      isFlooding: () => this.#isOver(emptyFrames()),
      cut: (reason) => this.destroy(reason),
      leave: (reason) => this.#leave(reason),
    });
    this.#listen();
    this.#address = options.socket.remoteAddress ?? '';
    this.#caller = options.downstream.callers?.opened(this.#address);
    options.downstream.emit({ kind: 'connection-opened' });
  }

  get openCalls(): number {
    return this.#calls.open + this.#share.waiting;
  }

  #isOver(detail: string | undefined): boolean {
    if (detail === undefined) return false;
    this.#options.downstream.emit({ kind: 'limit-reached', limit: 'empty-frames', detail });
    return true;
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
    this.#cut = reason === 'drain';
    this.#share.end();
    if (!this.#session.destroyed) this.#session.destroy();
    this.#options.socket.destroy();
  }

  #listen(): void {
    const session = this.#session;
    session.on('stream', (stream, _headers, _flags, raw?: string[]) => this.#onStream(stream, raw ?? []));
    session.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    session.once('remoteSettings', () => {
      this.#liveness.spoke();
      session.on('remoteSettings', () => this.#onSettings());
    });
    session.on('ping', () => this.#onPing());
    // A frame that could not be sent; its stream fails by itself, and says so to the call.
    session.on('frameError', () => {});
    this.#options.socket.once('close', () => this.#onClose());
  }

  #onStream(stream: ServerHttp2Stream, raw: readonly string[]): void {
    // Each reason for an error of a stream (a reset, a lost connection, headers too large to send) ends in 'close'.
    stream.on('error', ignore);
    this.#options.garbage.headers(raw);
    this.#streams += 1;
    // It goes with its connection.
    if (this.#condemned) return;
    if (this.#share.take()) this.#take(stream, raw);
    else this.#share.later(() => this.#take(stream, raw));
  }

  /** False: it has gone, and costs nothing. */
  #take(stream: ServerHttp2Stream, raw: readonly string[]): boolean {
    if (stream.destroyed || stream.closed) {
      this.#count('resets');
      return false;
    }
    this.#admitCall(stream, raw);
    return true;
  }

  #admitCall(stream: ServerHttp2Stream, raw: readonly string[]): void {
    const admission = this.#admit(raw);
    this.#turns += 1;
    if (admission.kind === 'call') {
      this.#hear(admission.metadata);
      this.#calls.begin(stream, admission);
      return;
    }
    this.#reportBadInput(admission.reason, admission.error);
    this.#count('refusals', admission.reason === 'metadata' ? LARGE_WEIGHT : 1);
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

  /** grpc-go pings as often as data comes, to measure the link: only pings for nothing count. */
  #onPing(): void {
    this.#share.frame();
    if (this.#turns === this.#turnsAtPing) this.#count('pings');
    this.#turnsAtPing = this.#turns;
  }

  #onSettings(): void {
    this.#share.frame();
    this.#count('settings');
  }

  #mayAsk(): GatewayError | undefined {
    const objection = this.#options.downstream.objection?.();
    if (objection !== undefined) return objection;
    const excess = this.#limits.count('asking');
    // Each refusal costs little, and a hundred thousand of them keep everybody waiting.
    if (excess !== undefined) this.#count('refusals');
    return excess;
  }

  /**
   * Who does too much of this is cut off, without ceremony: each frame of ceremony would be another to pay for. Never while frames
   * are being read: Node 20 and 22 abort when a session goes away under nghttp2 (nodejs/node#38964).
   */
  #count(limit: 'resets' | 'pings' | 'settings' | 'refusals', weight = 1): void {
    if (this.#condemned || this.#closed || this.#session.destroyed) return;
    if (this.#limits.count(limit, weight) === undefined) return;
    this.#condemned = true;
    this.#share.end();
    setImmediate(() => this.destroy('limit'));
  }

  #onCallClose(cancelled: boolean): void {
    if (cancelled) this.#count('resets');
    this.#idleSinceMs = this.#options.downstream.clock.nowMs();
    this.#turns += 1;
    this.#options.onCallClose();
  }

  #reportBadInput(reason: BadInputReason, error: GatewayError): void {
    this.#options.downstream.emit({ kind: 'bad-input', reason, detail: error.message });
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return;
    // Also ERR_HTTP2_TOO_MANY_INVALID_FRAMES, and what else node:http2 gives a connection up for.
    const broken = error.code?.startsWith('ERR_HTTP2_') === true;
    this.#closeReason ??= broken ? 'protocol-error' : 'error';
    if (broken)
      this.#options.downstream.emit({ kind: 'bad-input', reason: 'protocol', detail: error.message });
  }

  /** Whoever is cut off may be back at once, with as much again. */
  #clearUp(): void {
    const { garbage, recentlyCut } = this.#options;
    const isCut = this.#closeReason === 'limit';
    if (!isCut && this.#closeReason !== 'protocol-error') return;
    garbage.streams(this.#streams);
    // A client's mistake keeps nobody waiting to speak of; a thousand in a second do.
    recentlyCut.add(this.#address, isCut ? Number.POSITIVE_INFINITY : MISTAKE_MS + this.#streams);
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
      this.#clearUp();
      this.#options.downstream.emit({ kind: 'connection-closed', reason: this.#closeReason ?? 'client' });
      this.#options.onClose(this);
    });
  }
}
