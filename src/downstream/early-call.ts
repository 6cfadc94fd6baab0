import { constants, type ServerHttp2Stream } from 'node:http2';
import type { GatewayError } from '../errors.js';
import { frameOf } from '../rpc/framed.js';
import type { ReadyAnswer } from '../rpc/ready-answer.js';
import type { Admitted } from './admission.js';
import { messageOf } from './frames.js';
import type { Http2Call } from './http2-call.js';
import { type Report, respond, sendTrailers } from './response-headers.js';

/** What a connection is to its early calls: one object for all of them. */
export interface EarlyCallOwner {
  /** undefined: somebody has to be asked, or to wait. */
  answer(admitted: Admitted, message: Buffer): ReadyAnswer | undefined;
  /** In place of an early call, which has `received` so much, comes one that can do everything. */
  begin(call: EarlyCall, received: readonly Buffer[]): Http2Call;
  /** The stream has gone: `answered`, or before that. */
  closed(call: EarlyCall, answered: boolean): void;
  readonly report: Report;
}

export interface EarlyCallOptions {
  readonly stream: ServerHttp2Stream;
  readonly admitted: Admitted;
  readonly deadlineMs: number | undefined;
  readonly owner: EarlyCallOwner;
}

/** `replaced`: by an Http2Call, which has the stream now. */
type State = 'waiting' | 'answered' | 'replaced';

const CALL = Symbol('the early call of a stream');
type Carrying = ServerHttp2Stream & { [CALL]: EarlyCall };

/**
 * A unary call that may be answered in the event that brings the end of its request. Nothing of it waits, so it has no reader,
 * no signal and no promise, and its listeners are the same functions for all calls. Whatever it cannot do by itself an
 * Http2Call does in its place (docs/decisions/0023-hits-at-once.md).
 */
export class EarlyCall {
  readonly stream: ServerHttp2Stream;
  readonly admitted: Admitted;
  readonly deadlineMs: number | undefined;
  readonly #owner: EarlyCallOwner;
  #state: State = 'waiting';
  #chunk: Buffer | undefined;
  /** Of the chunk. */
  #message: Buffer | undefined;
  #answer: ReadyAnswer | undefined;

  constructor({ stream, admitted, deadlineMs, owner }: EarlyCallOptions) {
    this.stream = stream;
    this.admitted = admitted;
    this.deadlineMs = deadlineMs;
    this.#owner = owner;
    (stream as Carrying)[CALL] = this;
    stream.on('close', onClose);
    stream.on('wantTrailers', onWantTrailers);
    stream.on('end', onEnd);
    stream.on('data', onData);
  }

  /** Nothing more will be written. */
  get finished(): boolean {
    return this.#state === 'answered';
  }

  /** Ends the call in the gateway's own name. */
  abort(error: GatewayError): void {
    if (this.#state === 'waiting') this.#replace().abort(error);
  }

  /** To be called when the deadline has passed. */
  expire(): void {
    if (this.#state === 'waiting') this.#replace().expire();
    // Answered, and the caller has not taken it in time: nobody is waiting any more.
    else if (!this.stream.destroyed) this.stream.close(constants.NGHTTP2_CANCEL);
  }

  /** On 'data'. */
  take(chunk: Buffer): void {
    const message = this.#chunk === undefined ? messageOf(chunk) : undefined;
    if (message === undefined) {
      this.#replace(chunk);
      return;
    }
    this.#chunk = chunk;
    this.#message = message;
  }

  /** On 'end', which a reset stream says, too. */
  conclude(): void {
    const { stream } = this;
    if (this.#state !== 'waiting' || stream.destroyed || stream.closed) return;
    const answer = this.#message && this.#owner.answer(this.admitted, this.#message);
    if (answer === undefined) {
      this.#replace();
      return;
    }
    this.#state = 'answered';
    this.#answer = answer;
    respond(stream, answer.headers, this.#owner.report);
    stream.end(frameOf(answer.message));
  }

  /** On 'wantTrailers'. */
  sendTrailers(): void {
    if (this.#answer)
      sendTrailers(this.stream, this.#answer.status, this.#answer.trailers, this.#owner.report);
  }

  /** On 'close'. */
  gone(): void {
    if (this.#state !== 'replaced') this.#owner.closed(this, this.#state === 'answered');
  }

  #replace(chunk?: Buffer): Http2Call {
    this.#state = 'replaced';
    this.stream.off('data', onData);
    return this.#owner.begin(
      this,
      [this.#chunk, chunk].filter((one) => one !== undefined),
    );
  }
}

function onData(this: ServerHttp2Stream, chunk: Buffer): void {
  (this as Carrying)[CALL].take(chunk);
}

function onEnd(this: ServerHttp2Stream): void {
  (this as Carrying)[CALL].conclude();
}

function onWantTrailers(this: ServerHttp2Stream): void {
  (this as Carrying)[CALL].sendTrailers();
}

function onClose(this: ServerHttp2Stream): void {
  (this as Carrying)[CALL].gone();
}
