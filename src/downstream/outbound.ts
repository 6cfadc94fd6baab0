import { constants, type ServerHttp2Stream } from 'node:http2';
import { frameOf, LARGEST_WHOLE_BYTES, prefixOf } from '../rpc/framed.js';
import { type Metadata, NO_METADATA } from '../rpc/metadata.js';
import type { Status } from '../rpc/status.js';
import { type Report, respond, respondTrailersOnly, sendTrailers } from './response-headers.js';

/**
 * What node:http2 is given of a message at a time. It holds everything it is given, and counts it against
 * `maxSessionMemory`: 13 answers of 20 MiB to one slow connection would have all its further calls refused.
 */
const SLICE_BYTES = LARGEST_WHOLE_BYTES;
const DONE = Promise.resolve();

/** The answer to one caller, at the pace of the caller. Nothing here throws on a stream that has gone. */
export class Outbound {
  readonly #stream: ServerHttp2Stream;
  readonly #report: Report;
  /** Large messages on their way, in order; resolves after the last. */
  #slicing: Promise<void> | undefined;
  #stopped = false;
  #outcome: { readonly status: Status; readonly trailers: Metadata } | undefined;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(stream: ServerHttp2Stream, report: Report) {
    this.#stream = stream;
    this.#report = report;
    stream.on('wantTrailers', () => this.#sendTrailers());
  }

  sendHeaders(metadata: Metadata): void {
    respond(this.#stream, metadata, this.#report);
  }

  /** Resolves when the caller can take more, or has gone. */
  sendMessage(message: Buffer): Promise<void> {
    if (this.#lost) return DONE;
    if (!this.#stream.headersSent) respond(this.#stream, NO_METADATA, this.#report);
    if (message.length <= LARGEST_WHOLE_BYTES && !this.#slicing) {
      return this.#stream.write(frameOf(message)) ? DONE : this.#untilRoom();
    }
    const slicing = this.#sendInSlices(message, this.#slicing);
    this.#slicing = slicing;
    void slicing.then(() => {
      if (this.#slicing === slicing) this.#slicing = undefined;
    });
    return slicing;
  }

  /** The status, after what was sent before it; alone, as "Trailers-Only", where nothing was. */
  finish(status: Status, trailers: Metadata): void {
    const stream = this.#stream;
    if (this.#lost) return;
    if (!stream.headersSent) {
      respondTrailersOnly(stream, status, trailers, this.#report);
      if (!stream.readableEnded) setImmediate(releaseStream, stream);
      return;
    }
    this.#outcome = { status, trailers };
    if (this.#slicing) void this.#slicing.then(() => stream.end());
    else stream.end();
  }

  /** Nobody wants the rest of the messages any more. Whoever waits for room goes on. */
  stop(): void {
    this.#stopped = true;
    this.#giveRoom();
  }

  get #lost(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  async #sendInSlices(message: Buffer, before: Promise<void> | undefined): Promise<void> {
    await before;
    const stream = this.#stream;
    // With the first slice, or the prefix would go out as a DATA frame of 5 bytes.
    stream.cork();
    stream.write(prefixOf(message));
    process.nextTick(() => stream.uncork());
    for (let at = 0; at < message.length; at += SLICE_BYTES) {
      if (this.#stopped || this.#lost) return;
      if (!stream.write(message.subarray(at, at + SLICE_BYTES))) await this.#untilRoom();
    }
  }

  #sendTrailers(): void {
    if (!this.#outcome) return;
    sendTrailers(this.#stream, this.#outcome.status, this.#outcome.trailers, this.#report);
    // node:http2 submits trailers in an immediate of its own; this one runs after it.
    if (!this.#stream.readableEnded) setImmediate(releaseStream, this.#stream);
  }

  #untilRoom(): Promise<void> {
    if (this.#stopped) return DONE;
    if (!this.#room) {
      let resolve = () => {};
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#room = { promise, resolve };
      this.#stream.once('drain', () => this.#giveRoom());
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
