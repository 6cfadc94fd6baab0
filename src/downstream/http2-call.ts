import { constants, type ServerHttp2Stream } from 'node:http2';
import { GatewayError } from '../errors.js';
import type { ByteBudget } from '../rpc/byte-budget.js';
import type { Call, Departure } from '../rpc/call.js';
import type { Client } from '../rpc/client.js';
import type { Clock } from '../rpc/clock.js';
import { type Metadata, NO_METADATA } from '../rpc/metadata.js';
import type { Slots } from '../rpc/slots.js';
import type { Status } from '../rpc/status.js';
import type { Encoding } from './compression.js';
import { Inbound } from './inbound.js';
import { Outbound } from './outbound.js';

export interface Http2CallOptions {
  readonly stream: ServerHttp2Stream;
  /** See Inbound. */
  readonly received: readonly Buffer[] | undefined;
  readonly path: string;
  readonly metadata: Metadata;
  readonly deadlineMs: number | undefined;
  readonly encoding: Encoding;
  readonly maxMessageBytes: number;
  readonly budget: ByteBudget;
  readonly mayAsk: () => GatewayError | undefined;
  /** One after the other, for all calls of its connection. */
  readonly slots: () => Slots;
  readonly client: Client | undefined;
  readonly clock: Clock;
  /** Asked in the event that ends the stream, unless that was us: by what it tells of the connection below. */
  readonly departureNow: () => Departure;
  /** Bytes of messages have come, wanted or not. */
  readonly onBytes: (bytes: number) => void;
  readonly onBadInput: (error: GatewayError) => void;
  readonly onOverBudget: (detail: string) => void;
  readonly onInternalError: (error: unknown) => void;
  /** The stream has gone, whatever the reason. */
  readonly onClose: (call: Http2Call) => void;
}

/** `ended`: by us; the answer may still be on its way out. `gone`: by the caller, the deadline or a drain. */
type State =
  | { readonly kind: 'open' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'gone'; readonly error: GatewayError; readonly departure: Departure };

const OPEN: State = { kind: 'open' };
const ENDED: State = { kind: 'ended' };
const DONE = Promise.resolve();

/** A call over one HTTP/2 stream of node:http2. */
export class Http2Call implements Call {
  readonly path: string;
  readonly metadata: Metadata;
  readonly deadlineMs: number | undefined;
  readonly mayAsk: () => GatewayError | undefined;
  readonly client: Client | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #clock: Clock;
  readonly #departureNow: () => Departure;
  readonly #slots: () => Slots;
  readonly #inbound: Inbound;
  readonly #outbound: Outbound;
  #state: State = OPEN;
  #controller: AbortController | undefined;

  constructor(options: Http2CallOptions) {
    this.path = options.path;
    this.metadata = options.metadata;
    this.deadlineMs = options.deadlineMs;
    this.mayAsk = options.mayAsk;
    this.#slots = options.slots;
    this.client = options.client;
    this.#stream = options.stream;
    this.#clock = options.clock;
    this.#departureNow = options.departureNow;
    this.#inbound = new Inbound(options);
    this.#outbound = new Outbound(options.stream, options.onInternalError);
    this.#listen(options.onClose);
  }

  askInTurn<T>(ask: () => Promise<T>): Promise<T> {
    return this.#slots()(() => (this.#state.kind === 'gone' ? Promise.reject(this.#state.error) : ask()));
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#state.kind === 'gone') this.#controller.abort(this.#state.error);
    return this.#controller.signal;
  }

  get cancelled(): boolean {
    return this.#state.kind === 'gone';
  }

  get departure(): Departure | undefined {
    return this.#state.kind === 'gone' ? this.#state.departure : undefined;
  }

  /** Nothing more will be written: ended or gone. */
  get finished(): boolean {
    return this.#state !== OPEN;
  }

  read(): Promise<Buffer | undefined> {
    return this.#inbound.read();
  }

  sendHeaders(metadata: Metadata): void {
    if (this.#state === OPEN) this.#outbound.sendHeaders(metadata);
  }

  sendMessage(message: Buffer): Promise<void> {
    return this.#state === OPEN ? this.#outbound.sendMessage(message) : DONE;
  }

  end(status: Status, trailers: Metadata): void {
    if (this.#state !== OPEN) return;
    this.#state = ENDED;
    this.#inbound.discard();
    this.#outbound.finish(status, trailers);
  }

  /** Ends the call in the gateway's own name, for the handler as if the caller had cancelled. */
  abort(error: GatewayError): void {
    this.#abort(error, 'ended-here');
  }

  #abort(error: GatewayError, departure: Departure): void {
    if (this.#state !== OPEN) return;
    this.#leave(error, departure);
    this.#outbound.finish(error.status, NO_METADATA);
  }

  /** To be called when the deadline has passed. */
  expire(): void {
    if (this.#state === OPEN)
      this.#abort(new GatewayError('deadline-exceeded', "the caller's deadline has passed"), 'deadline');
    // Answered, and the caller has not taken it in time: nobody is waiting any more.
    else if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #listen(onClose: (call: Http2Call) => void): void {
    const stream = this.#stream;
    stream.on('aborted', () => this.#cancel());
    stream.on('close', () => {
      this.#cancel();
      this.#inbound.release();
      this.#outbound.stop();
      onClose(this);
    });
  }

  #cancel(): void {
    if (this.#state !== OPEN) return;
    const error = new GatewayError('caller-cancelled', 'the caller has cancelled the call');
    const late = this.deadlineMs !== undefined && this.#clock.nowMs() >= this.deadlineMs;
    this.#leave(error, late ? 'deadline' : this.#departureNow());
  }

  #leave(error: GatewayError, departure: Departure): void {
    this.#state = { kind: 'gone', error, departure };
    this.#inbound.fail(error);
    this.#outbound.stop();
    this.#controller?.abort(error);
  }
}
