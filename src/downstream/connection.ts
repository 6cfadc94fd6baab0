import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { GatewayError, statusOfError } from '../errors.js';
import type { CallerConnection } from '../observe/callers.js';
import type { BadInputReason, ConnectionCloseReason } from '../observe/events.js';
import type { Departure } from '../rpc/call.js';
import type { Timer } from '../rpc/clock.js';
import { NO_METADATA } from '../rpc/metadata.js';
import { type Admission, admit } from './admission.js';
import { ACCEPTED_ENCODINGS } from './compression.js';
import type { Deadlines } from './deadlines.js';
import type { DownstreamOptions } from './engine.js';
import { refuseInHttp } from './http-refusal.js';
import { Http2Call } from './http2-call.js';
import { releaseStream } from './outbound.js';
import { respondTrailersOnly } from './response-headers.js';

export interface ConnectionOptions {
  readonly session: ServerHttp2Session;
  /** Below the session, which would politely wait for a peer that never answers. */
  readonly socket: Socket;
  readonly downstream: DownstreamOptions;
  readonly deadlines: Deadlines;
  readonly onClose: (connection: Connection) => void;
  /** A call has gone; the owner may be waiting for the last one. */
  readonly onCallClose: () => void;
}

/** One connection of a caller: its session, its calls, its pings. It owns the socket. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #session: ServerHttp2Session;
  readonly #calls = new Set<Http2Call>();
  #closeReason: ConnectionCloseReason | undefined;
  #timer: Timer | undefined;
  #caller: CallerConnection | undefined;
  #spoke = false;
  /** By our own stopping. */
  #cut = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#listen();
    this.#awaitNextPing();
    this.#caller = options.downstream.callers?.opened(options.socket.remoteAddress ?? '');
    options.downstream.emit({ kind: 'connection-opened' });
  }

  get openCalls(): number {
    return this.#calls.size;
  }

  /** GOAWAY; what is in flight goes on, and with its end the connection closes. */
  drain(): void {
    this.#closeReason ??= 'drain';
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close();
  }

  /** Ends every call that is still open, with a status that makes clients come back. Returns how many there were. */
  endCalls(error: GatewayError): number {
    let ended = 0;
    for (const call of [...this.#calls]) {
      if (call.finished) continue;
      call.abort(error);
      ended++;
    }
    return ended;
  }

  /** At once, without waiting for the peer. */
  destroy(reason: ConnectionCloseReason): void {
    this.#closeReason ??= reason;
    this.#cut = reason === 'drain';
    if (!this.#session.destroyed) this.#session.destroy();
    this.#options.socket.destroy();
  }

  #listen(): void {
    const session = this.#session;
    session.on('stream', (stream, _headers, _flags, raw?: string[]) => this.#onStream(stream, raw ?? []));
    session.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    // A frame that could not be sent; its stream fails by itself, and says so to the call.
    session.on('frameError', () => {});
    this.#options.socket.once('close', () => this.#onClose());
  }

  #onStream(stream: ServerHttp2Stream, raw: readonly string[]): void {
    // The event is deferred, so that a stream reset in the same packet has gone before anybody could listen to it.
    if (stream.destroyed || stream.closed) {
      stream.on('error', () => {});
      return;
    }
    const admission = admit(raw, this.#options.downstream.limits.maxMetadataBytes);
    if (admission.kind === 'refused') this.#refuse(stream, admission);
    else this.#begin(stream, admission);
  }

  #refuse(
    stream: ServerHttp2Stream,
    { reason, error, httpStatus }: Extract<Admission, { kind: 'refused' }>,
  ): void {
    stream.on('error', () => {});
    this.#reportBadInput(reason, error);
    stream.resume();
    if (httpStatus !== 200) {
      refuseInHttp(stream, httpStatus, error, this.#options.downstream.clock);
      return;
    }
    const extra = reason === 'encoding' ? { 'grpc-accept-encoding': ACCEPTED_ENCODINGS } : {};
    respondTrailersOnly(stream, error.status, NO_METADATA, this.#reportInternalError, extra);
    setImmediate(releaseStream, stream);
  }

  #begin(stream: ServerHttp2Stream, admission: Extract<Admission, { kind: 'call' }>): void {
    const { deadlines, downstream, onCallClose } = this.#options;
    const { path, metadata, encoding, timeoutMs } = admission;
    if (!this.#spoke) {
      this.#spoke = true;
      this.#caller?.spoke(String(metadata['user-agent'] ?? ''));
    }
    const call = new Http2Call({
      stream,
      path,
      metadata,
      encoding,
      deadlineMs: timeoutMs === undefined ? undefined : downstream.clock.nowMs() + timeoutMs,
      clock: downstream.clock,
      departureNow: this.#departureNow,
      maxMessageBytes: downstream.maxMessageBytesFor?.(path) ?? downstream.limits.maxMessageBytes,
      onBadInput: (error) => this.#reportBadInput(reasonOf(error), error),
      onInternalError: this.#reportInternalError,
      onClose: () => {
        deadlines.delete(call);
        this.#calls.delete(call);
        onCallClose();
      },
    });
    this.#calls.add(call);
    deadlines.add(call);
    void this.#handle(call);
  }

  async #handle(call: Http2Call): Promise<void> {
    try {
      await this.#options.downstream.handler(call);
      if (!call.finished) throw new Error(`the handler of ${call.path} left the call open`);
    } catch (error) {
      if (!(error instanceof GatewayError)) this.#reportInternalError(error);
      call.end(statusOfError(error), NO_METADATA);
    }
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

  readonly #reportInternalError = (error: unknown): void => {
    this.#options.downstream.emit({ kind: 'internal-error', where: 'downstream', error });
  };

  #reportBadInput(reason: BadInputReason, error: GatewayError): void {
    this.#options.downstream.emit({ kind: 'bad-input', reason, detail: error.message });
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return;
    const broken = error.code === 'ERR_HTTP2_ERROR';
    this.#closeReason ??= broken ? 'protocol-error' : 'error';
    if (broken)
      this.#options.downstream.emit({ kind: 'bad-input', reason: 'protocol', detail: error.message });
  }

  #onClose(): void {
    // The session tells of its error only after its socket has closed, and then on a later tick.
    setImmediate(() => {
      if (this.#closed) return;
      this.#closed = true;
      this.#timer?.cancel();
      if (!this.#session.destroyed) this.#session.destroy();
      this.#caller?.closed();
      this.#options.downstream.emit({ kind: 'connection-closed', reason: this.#closeReason ?? 'client' });
      this.#options.onClose(this);
    });
  }

  #awaitNextPing(): void {
    const { clock, limits } = this.#options.downstream;
    this.#timer = clock.setTimer(limits.ping.intervalMs, () => this.#ping());
  }

  #ping(): void {
    const { downstream } = this.#options;
    if (this.#session.destroyed) {
      this.destroy('client');
      return;
    }
    // No acknowledgement, or no room for a ping among those already under way: nobody is there. It may also be that
    // node:http2 has given up: after some violations it says GOAWAY, reads no more, and never hears of the peer's end.
    this.#timer = downstream.clock.setTimer(downstream.limits.ping.timeoutMs, () =>
      this.destroy('ping-timeout'),
    );
    this.#session.ping((error) => {
      if (error) return;
      this.#timer?.cancel();
      if (!this.#closed) this.#awaitNextPing();
    });
  }
}

function reasonOf(error: GatewayError): BadInputReason {
  switch (error.code) {
    case 'message-too-large':
      return 'message-too-large';
    case 'unsupported-encoding':
      return 'encoding';
    default:
      return 'frame';
  }
}
