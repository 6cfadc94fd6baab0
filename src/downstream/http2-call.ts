import { constants, type ServerHttp2Stream } from 'node:http2';
import { GatewayError } from '../errors.js';
import type { Call } from '../rpc/call.js';
import { type Metadata, NO_METADATA } from '../rpc/metadata.js';
import type { Status } from '../rpc/status.js';
import type { Encoding } from './compression.js';
import { frameOf } from './frames.js';
import { Inbound } from './inbound.js';
import { respond, respondTrailersOnly, sendTrailers } from './response-headers.js';

export interface Http2CallOptions {
  readonly stream: ServerHttp2Stream;
  readonly path: string;
  readonly metadata: Metadata;
  readonly deadlineMs: number | undefined;
  readonly encoding: Encoding;
  readonly maxMessageBytes: number;
  readonly onBadInput: (error: GatewayError) => void;
  /** The stream has gone, whatever the reason. */
  readonly onClose: (call: Http2Call) => void;
}

/** `ended`: by us; the answer may still be on its way out. `gone`: by the caller, the deadline or a drain. */
type State =
  | { readonly kind: 'open' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'gone'; readonly error: GatewayError };

const OPEN: State = { kind: 'open' };
const ENDED: State = { kind: 'ended' };
const DONE = Promise.resolve();

/** A call over one HTTP/2 stream of node:http2. */
export class Http2Call implements Call {
  readonly path: string;
  readonly metadata: Metadata;
  readonly deadlineMs: number | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #inbound: Inbound;
  #state: State = OPEN;
  #controller: AbortController | undefined;
  #outcome: { readonly status: Status; readonly trailers: Metadata } | undefined;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(options: Http2CallOptions) {
    this.path = options.path;
    this.metadata = options.metadata;
    this.deadlineMs = options.deadlineMs;
    this.#stream = options.stream;
    this.#inbound = new Inbound(options);
    this.#listen(options.onClose);
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#state.kind === 'gone') this.#controller.abort(this.#state.error);
    return this.#controller.signal;
  }

  get cancelled(): boolean {
    return this.#state.kind === 'gone';
  }

  /** Nothing more will be written: ended or gone. */
  get finished(): boolean {
    return this.#state !== OPEN;
  }

  read(): Promise<Buffer | undefined> {
    return this.#inbound.read();
  }

  sendHeaders(metadata: Metadata): void {
    if (this.#state === OPEN) respond(this.#stream, metadata);
  }

  sendMessage(message: Buffer): Promise<void> {
    const stream = this.#stream;
    if (this.#state !== OPEN || stream.destroyed || stream.closed) return DONE;
    if (!stream.headersSent) respond(stream, NO_METADATA);
    const [first, rest] = frameOf(message);
    if (!rest) return stream.write(first) ? DONE : this.#untilRoom();
    stream.cork();
    stream.write(first);
    const room = stream.write(rest);
    stream.uncork();
    return room ? DONE : this.#untilRoom();
  }

  end(status: Status, trailers: Metadata): void {
    if (this.#state !== OPEN) return;
    this.#state = ENDED;
    this.#inbound.discard();
    this.#finish(status, trailers);
  }

  /** Ends the call in the gateway's own name, for the handler as if the caller had cancelled. */
  abort(error: GatewayError): void {
    if (this.#state !== OPEN) return;
    this.#leave(error);
    this.#finish(error.status, NO_METADATA);
  }

  /** To be called when the deadline has passed. */
  expire(): void {
    if (this.#state === OPEN)
      this.abort(new GatewayError('deadline-exceeded', "the caller's deadline has passed"));
    // Answered, and the caller has not taken it in time: nobody is waiting any more.
    else if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #listen(onClose: (call: Http2Call) => void): void {
    const stream = this.#stream;
    // Each reason for an error here (a reset, a lost connection, headers too large to send) ends in 'close'.
    stream.on('error', () => {});
    stream.on('aborted', () => this.#cancel());
    stream.on('drain', () => this.#giveRoom());
    stream.on('wantTrailers', () => this.#sendTrailers());
    stream.once('close', () => {
      this.#cancel();
      this.#giveRoom();
      onClose(this);
    });
  }

  #cancel(): void {
    if (this.#state === OPEN)
      this.#leave(new GatewayError('caller-cancelled', 'the caller has cancelled the call'));
  }

  #leave(error: GatewayError): void {
    this.#state = { kind: 'gone', error };
    this.#inbound.fail(error);
    this.#giveRoom();
    this.#controller?.abort(error);
  }

  #finish(status: Status, trailers: Metadata): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    if (stream.headersSent) {
      this.#outcome = { status, trailers };
      stream.end();
    } else {
      respondTrailersOnly(stream, status, trailers);
      setImmediate(releaseStream, stream);
    }
  }

  #sendTrailers(): void {
    if (!this.#outcome) return;
    sendTrailers(this.#stream, this.#outcome.status, this.#outcome.trailers);
    // node:http2 submits trailers in an immediate of its own; this one runs after it.
    setImmediate(releaseStream, this.#stream);
  }

  #untilRoom(): Promise<void> {
    if (!this.#room) {
      let resolve = () => {};
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#room = { promise, resolve };
    }
    return this.#room.promise;
  }

  #giveRoom(): void {
    const room = this.#room;
    this.#room = undefined;
    room?.resolve();
  }
}

/**
 * Frees a stream that is answered while the caller has not half-closed (RFC 9113 §8.1: RST_STREAM with NO_ERROR).
 * Otherwise it would count against the caller's streams until the caller is through with what nobody reads.
 */
export function releaseStream(stream: ServerHttp2Stream): void {
  if (!stream.destroyed && !stream.closed && !stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}
