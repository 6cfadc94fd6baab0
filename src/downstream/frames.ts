import { GatewayError } from '../errors.js';
import { PREFIX_BYTES } from '../rpc/framed.js';

/** One gRPC message with its flag, out of its length prefix. */
export interface Frame {
  readonly compressed: boolean;
  readonly payload: Buffer;
}

const SMALLEST_STORE_BYTES = 16 * 1024;
const EMPTY = Buffer.alloc(0);

/**
 * Turns chunks, cut anywhere, into frames. It never holds more than it was given, and allocates for what has
 * come, not for what a prefix promises: a caller that announces 256 MiB and sends nothing costs nothing.
 * A frame that lies within one chunk is not copied. Frames that stay in use may share memory with later ones, which is never rewritten.
 */
export class Deframer {
  readonly #maxMessageBytes: number;
  #store: Buffer = EMPTY;
  #startBytes = 0;
  #endBytes = 0;
  /** `#store` is ours to append to, not a caller's chunk. */
  #owned = false;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  get bufferedBytes(): number {
    return this.#endBytes - this.#startBytes;
  }

  /** Of the message that has begun and is not whole, as far as its prefix has come; 0: none, or too large to be taken at all. */
  get wantedBytes(): number {
    if (this.bufferedBytes < PREFIX_BYTES) return 0;
    const lengthBytes = this.#store.readUInt32BE(this.#startBytes + 1);
    return lengthBytes > this.#maxMessageBytes || this.bufferedBytes >= PREFIX_BYTES + lengthBytes
      ? 0
      : lengthBytes;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.bufferedBytes === 0) {
      this.#store = chunk;
      this.#startBytes = 0;
      this.#endBytes = chunk.length;
      this.#owned = false;
      return;
    }
    if (!this.#owned || this.#endBytes + chunk.length > this.#store.length) this.#grow(chunk.length);
    chunk.copy(this.#store, this.#endBytes);
    this.#endBytes += chunk.length;
  }

  /** The next whole frame, if it has come. Throws GatewayError `malformed-frame` or `message-too-large`, then for ever. */
  next(): Frame | undefined {
    const lengthBytes = this.#nextLengthBytes();
    if (lengthBytes === undefined || this.bufferedBytes < PREFIX_BYTES + lengthBytes) return undefined;
    const compressed = this.#store[this.#startBytes] === 1;
    const from = this.#startBytes + PREFIX_BYTES;
    this.#startBytes = from + lengthBytes;
    return { compressed, payload: this.#store.subarray(from, this.#startBytes) };
  }

  /** To be asked when no more chunks will come. Throws GatewayError `malformed-frame` when a frame was cut off. */
  finish(): void {
    if (this.bufferedBytes === 0) return;
    throw new GatewayError(
      'malformed-frame',
      `the request ended inside a message, after ${this.bufferedBytes} of its bytes`,
    );
  }

  #nextLengthBytes(): number | undefined {
    if (this.bufferedBytes === 0) return undefined;
    const flag = this.#store[this.#startBytes] as number;
    if (flag > 1)
      throw new GatewayError('malformed-frame', `a message begins with flag ${flag}; 0 and 1 are allowed`);
    if (this.bufferedBytes < PREFIX_BYTES) return undefined;
    const lengthBytes = this.#store.readUInt32BE(this.#startBytes + 1);
    if (lengthBytes > this.#maxMessageBytes) throw tooLarge(lengthBytes, this.#maxMessageBytes);
    return lengthBytes;
  }

  /** Doubles, so that a message in many small chunks is copied a few times, not once per chunk. */
  #grow(moreBytes: number): void {
    const neededBytes = this.bufferedBytes + moreBytes;
    const roomBytes = Math.max(neededBytes, Math.min(2 * neededBytes, this.#wholeFrameBytes()));
    const store = Buffer.allocUnsafeSlow(roomBytes);
    this.#store.copy(store, 0, this.#startBytes, this.#endBytes);
    this.#endBytes = this.bufferedBytes;
    this.#startBytes = 0;
    this.#store = store;
    this.#owned = true;
  }

  #wholeFrameBytes(): number {
    if (this.bufferedBytes < PREFIX_BYTES) return SMALLEST_STORE_BYTES;
    return PREFIX_BYTES + this.#store.readUInt32BE(this.#startBytes + 1);
  }
}

function tooLarge(lengthBytes: number, maxBytes: number): GatewayError {
  return new GatewayError(
    'message-too-large',
    `a message of ${lengthBytes} bytes; ${maxBytes} are allowed (server.maxMessageBytes)`,
  );
}

/** The message of a chunk that is one whole uncompressed frame; undefined: it is something else, or part of it. */
export function messageOf(chunk: Buffer): Buffer | undefined {
  const whole =
    chunk.length >= PREFIX_BYTES && chunk[0] === 0 && chunk.readUInt32BE(1) === chunk.length - PREFIX_BYTES;
  return whole ? chunk.subarray(PREFIX_BYTES) : undefined;
}
