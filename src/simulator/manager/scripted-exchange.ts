import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import type { Metadata } from '../../rpc/metadata.js';
import { OK_STATUS, type Status } from '../../rpc/status.js';
import type { ScriptedAnswer, ScriptedManagerOptions, ScriptedSeenCall } from './scripted-manager.js';

/** One call on the wire: its messages are taken apart, and the scripted answer is put together. */
export interface ScriptedExchange {
  readonly seen: ScriptedSeenCall;
  readonly isOpen: boolean;
}

/** Flag and length (source: gRPC over HTTP2). */
const PREFIX_BYTES = 5;

type ExchangeOptions = Pick<ScriptedManagerOptions, 'answer' | 'streaming'> & {
  readonly breakConnection: () => void;
};

export function startExchange(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  options: ExchangeOptions,
): ScriptedExchange {
  const exchange = new Exchange(stream, headers);
  void exchange.answer(options);
  return exchange;
}

class Exchange implements ScriptedExchange {
  readonly #stream: ServerHttp2Stream;
  readonly #path: string;
  readonly #metadata: Metadata;
  readonly #messages: Buffer[] = [];
  readonly #compressed: boolean[] = [];
  readonly #gone = new AbortController();
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #wantedBytes = PREFIX_BYTES;
  #read = 0;
  #isHalfClosed = false;
  #isAnswered = false;
  #wake: (() => void) | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#stream = stream;
    this.#path = String(headers[':path']);
    this.#metadata = Object.fromEntries(Object.entries(headers).filter(([key]) => !key.startsWith(':')));
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    // 'end' also comes when the stream was aborted; 'close' tells with which code.
    stream.on('end', () => {
      this.#isHalfClosed = !stream.aborted;
      this.#wake?.();
    });
    stream.on('error', () => {});
    stream.on('close', () => {
      this.#gone.abort();
      this.#wake?.();
    });
  }

  get seen(): ScriptedSeenCall {
    return {
      path: this.#path,
      metadata: this.#metadata,
      timeout: this.#metadata['grpc-timeout']?.toString(),
      messages: this.#messages,
      compressed: this.#compressed,
      halfClosed: this.#isHalfClosed,
      cancelled: this.#gone.signal.aborted && !this.#isAnswered,
    };
  }

  get isOpen(): boolean {
    return !this.#gone.signal.aborted;
  }

  async answer(options: ExchangeOptions): Promise<void> {
    if (options.streaming?.(this.#path) !== true) await this.#halfClose();
    if (!this.isOpen) return;
    const answer = await options.answer({
      path: this.#path,
      metadata: this.#metadata,
      messages: this.#messages,
      read: () => this.#next(),
      signal: this.#gone.signal,
    });
    await this.#send(answer, options.breakConnection);
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
    // Put together only when a message is whole: a large one comes in thousands of chunks.
    while (this.#chunkBytes >= this.#wantedBytes) {
      const bytes = Buffer.concat(this.#chunks);
      const end = PREFIX_BYTES + bytes.readUInt32BE(1);
      this.#wantedBytes = end;
      this.#chunks = [bytes];
      if (bytes.length < end) break;
      this.#accept(bytes.subarray(PREFIX_BYTES, end), bytes[0] === 1);
      this.#chunks = [bytes.subarray(end)];
      this.#chunkBytes = bytes.length - end;
      this.#wantedBytes = PREFIX_BYTES;
    }
    this.#wake?.();
  }

  #accept(body: Buffer, isCompressed: boolean): void {
    this.#compressed.push(isCompressed);
    this.#messages.push(isCompressed ? unpack(body, this.#metadata['grpc-encoding']) : body);
  }

  async #next(): Promise<Buffer | undefined> {
    while (this.#read >= this.#messages.length && !this.#isHalfClosed && this.isOpen) await this.#news();
    return this.isOpen ? this.#messages[this.#read++] : undefined;
  }

  async #halfClose(): Promise<void> {
    while (!this.#isHalfClosed && this.isOpen) await this.#news();
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #send(answer: ScriptedAnswer, breakConnection: () => void): Promise<void> {
    const stream = this.#stream;
    const { status = OK_STATUS, trailers = {}, ending = 'status' } = answer;
    if (ending === 'goaway') stream.session?.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
    if (!this.isOpen) return;
    if (answer.trailersOnly === true) {
      this.#isAnswered = true;
      stream.respond(
        { ...responseHeaders(answer), ...statusTrailers(status), ...outgoing(trailers) },
        { endStream: true },
      );
      return;
    }
    stream.respond(responseHeaders(answer), { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      this.#isAnswered = true;
      stream.sendTrailers({ ...statusTrailers(status), ...outgoing(trailers) });
    });
    await this.#sendBody(answer);
    if (!this.isOpen || ending === 'never') return;
    if (ending === 'reset') stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else if (ending === 'destroy-connection') breakConnection();
    else stream.end();
  }

  async #sendBody(answer: ScriptedAnswer): Promise<void> {
    if (answer.rawBody !== undefined) await this.#write(answer.rawBody);
    for await (const message of answer.messages ?? []) await this.#write(frame(message, answer.compression));
  }

  /** Resolves when it has been taken, or when the call has gone. */
  async #write(bytes: Buffer): Promise<void> {
    // Nothing is not written: a stream that is closed after an empty write has Node 20 and 22 abort the process ("!this->is_destroyed()" in OnTrailers).
    if (!this.isOpen || bytes.length === 0) return;
    const { signal } = this.#gone;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      this.#stream.write(bytes, done);
    });
  }
}

function responseHeaders({ headers = {}, compression }: ScriptedAnswer): OutgoingHttpHeaders {
  return {
    ':status': '200',
    'content-type': 'application/grpc',
    ...(compression === undefined ? {} : { 'grpc-encoding': compression }),
    ...outgoing(headers),
  };
}

/** The type of Node's headers wants arrays that it may write to; it does not. */
function outgoing(metadata: Metadata): OutgoingHttpHeaders {
  return metadata as OutgoingHttpHeaders;
}

function statusTrailers({ code, message }: Status): Record<string, string> {
  return {
    'grpc-status': String(code),
    ...(message === '' ? {} : { 'grpc-message': percentEncode(message) }),
  };
}

/** Everything but printable ASCII, and the percent sign itself (source: gRPC over HTTP2). */
function percentEncode(message: string): string {
  const encodeByte = (byte: number): string =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return [...Buffer.from(message)].map(encodeByte).join('');
}

function frame(message: Buffer, compression: ScriptedAnswer['compression']): Buffer {
  const body =
    compression === undefined ? message : compression === 'gzip' ? gzipSync(message) : deflateSync(message);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt8(compression === undefined ? 0 : 1);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

/** What nobody here can unpack stays as it came, for the test to look at. */
function unpack(body: Buffer, encoding: Metadata[string]): Buffer {
  try {
    if (encoding === 'gzip') return gunzipSync(body);
    return encoding === 'deflate' ? inflateSync(body) : body;
  } catch {
    return body;
  }
}
