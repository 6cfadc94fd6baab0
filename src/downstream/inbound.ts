import type { ServerHttp2Stream } from 'node:http2';
import { GatewayError } from '../errors.js';
import { type ByteBudget, isCounted } from '../rpc/byte-budget.js';
import { type Encoding, unpack } from './compression.js';
import { Deframer, type Frame } from './frames.js';

export interface InboundOptions {
  readonly stream: ServerHttp2Stream;
  /** What of the request somebody else has read until now, so that its stream flows; undefined: nobody has. */
  readonly received: readonly Buffer[] | undefined;
  readonly encoding: Encoding;
  readonly maxMessageBytes: number;
  /** Of all callers: a message that has begun takes of it until its call has gone. */
  readonly budget: ByteBudget;
  /** Bytes have come, wanted or not. */
  readonly onBytes: (bytes: number) => void;
  readonly onBadInput: (error: GatewayError) => void;
  readonly onOverBudget: (detail: string) => void;
}

interface Reader {
  resolve(message: Buffer | undefined | Promise<Buffer>): void;
  reject(error: GatewayError): void;
}

/**
 * The messages of one caller, at the pace of who reads them: the stream flows only while somebody waits, so that
 * HTTP/2's flow control holds the caller back. What is held is at most one message and a window.
 */
export class Inbound {
  readonly #options: InboundOptions;
  readonly #stream: ServerHttp2Stream;
  readonly #deframer: Deframer;
  #reader: Reader | undefined;
  #failure: GatewayError | undefined;
  #listening = false;
  #halfClosed: boolean;
  #discarding = false;
  #takenBytes = 0;

  constructor(options: InboundOptions) {
    this.#options = options;
    this.#stream = options.stream;
    this.#deframer = new Deframer(options.maxMessageBytes);
    // Its end may have come already, of which nobody is told again.
    this.#halfClosed = options.stream.readableEnded;
    if (options.received !== undefined) this.#goOn(options.received);
  }

  /** One message at a time; `undefined` once the caller has half-closed. Rejects with GatewayError. */
  read(): Promise<Buffer | undefined> {
    if (this.#reader)
      return Promise.reject(new GatewayError('internal', 'a message is being waited for already'));
    // Its end comes of itself where it sent nothing, and may have come before anybody listened.
    if (!this.#listening && this.#stream.readableEnded) this.#halfClosed = true;
    const frame = this.#take();
    if (this.#failure) return Promise.reject(this.#failure);
    if (frame) return this.#contentOf(frame);
    if (this.#halfClosed) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.#flow();
    });
  }

  /** Ends reading: whoever waits or reads later gets `error`. The first reason stands. */
  fail(error: GatewayError): void {
    if (this.#failure) return;
    this.#failure = error;
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.reject(error);
    this.discard();
  }

  /** To be called when the stream has gone. */
  release(): void {
    this.#options.budget.give(this.#takenBytes);
    this.#takenBytes = 0;
  }

  /** Lets go of what still comes: unread data would keep the stream from closing. */
  discard(): void {
    this.#discarding = true;
    if (!this.#stream.destroyed) this.#stream.resume();
  }

  #goOn(chunks: readonly Buffer[]): void {
    for (const chunk of chunks) this.#deframer.push(chunk);
    this.#takeRoom();
    if (this.#halfClosed) return;
    // It flows: what nobody listens to would be lost.
    this.#listen();
    this.#stream.pause();
  }

  #flow(): void {
    this.#listen();
    this.#stream.resume();
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#stream.on('end', () => this.#onEnd());
  }

  #onData(chunk: Buffer): void {
    this.#options.onBytes(chunk.length);
    if (this.#discarding) return;
    this.#deframer.push(chunk);
    this.#takeRoom();
    // Not paused as soon as a message has been handed over: for a unary call that would be a pause and a resume for nothing.
    if (this.#reader) this.#deliver();
    else this.#stream.pause();
  }

  /** For the largest message so far: one is held at a time. */
  #takeRoom(): void {
    const wantedBytes = this.#deframer.wantedBytes;
    const moreBytes = wantedBytes - this.#takenBytes;
    if (moreBytes <= 0 || !isCounted(wantedBytes)) return;
    if (this.#options.budget.take(moreBytes)) {
      this.#takenBytes = wantedBytes;
      return;
    }
    const { usedBytes, limitBytes } = this.#options.budget;
    const text = `a message of ${wantedBytes} bytes while ${usedBytes} are under way; ${limitBytes} are allowed (server.limits.bytesInFlight)`;
    this.#options.onOverBudget(text);
    this.fail(new GatewayError('overloaded', text));
  }

  #onEnd(): void {
    // node:http2 ends the readable side of a reset stream too; that is not a half-close, and `fail` has come before.
    if (this.#discarding) return;
    this.#halfClosed = true;
    if (this.#reader) this.#deliver();
  }

  #deliver(): void {
    const frame = this.#take();
    const reader = this.#reader;
    if (!reader || (!frame && !this.#halfClosed)) return;
    this.#reader = undefined;
    reader.resolve(frame && this.#contentOf(frame));
  }

  #take(): Frame | undefined {
    if (this.#failure) return undefined;
    try {
      const frame = this.#deframer.next();
      if (!frame && this.#halfClosed) this.#deframer.finish();
      return frame;
    } catch (error) {
      this.#refuse(error as GatewayError);
      return undefined;
    }
  }

  #contentOf(frame: Frame): Promise<Buffer> {
    return frame.compressed ? this.#unpack(frame.payload) : Promise.resolve(frame.payload);
  }

  async #unpack(packed: Buffer): Promise<Buffer> {
    try {
      const message = await unpack(packed, this.#options.encoding, this.#options.maxMessageBytes);
      if (!this.#failure) return message;
    } catch (error) {
      this.#refuse(error as GatewayError);
    }
    throw this.#failure;
  }

  #refuse(error: GatewayError): void {
    if (this.#failure) return;
    this.#options.onBadInput(error);
    this.fail(error);
  }
}
