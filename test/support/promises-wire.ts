import { createHash } from 'node:crypto';
import http2 from 'node:http2';
import { gunzipSync, inflateSync } from 'node:zlib';
import type { Certificates } from './certificates.js';
import { framed, PREFIX_BYTES } from './framed.js';

/** Where calls go; with certificates: over mutual TLS. */
export type Target = { readonly address: string; readonly certificates: Certificates | undefined };

export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** A call as it stood on the wire, so that two can be compared: what belongs to one hop is left out. */
export type WireOutcome = {
  readonly httpStatus: number;
  /** By key; several values joined as gRPC allows; -bin values as hex. */
  readonly headers: Readonly<Record<string, string>>;
  /** Unpacked, as `shown`. */
  readonly messages: readonly string[];
  /** As text, exactly as it came; undefined: the call ended without. */
  readonly code: string | undefined;
  /** Decoded. */
  readonly message: string;
  readonly trailers: Readonly<Record<string, string>>;
  /** The code of RST_STREAM; 0: none, or one without an error. */
  readonly reset: number;
};

export interface WireCall {
  /** Resolves when it may be sent on. */
  send(message: Buffer, compression?: 'gzip' | 'deflate'): Promise<void>;
  /** Whatever bytes, framed by nobody. */
  sendBytes(bytes: Buffer): void;
  halfClose(): void;
  cancel(): void;
  /** Resolves when that many messages have come, or the call has ended. */
  received(count: number): Promise<void>;
  readonly outcome: Promise<WireOutcome>;
}

/** A caller on bare HTTP/2, which hides nothing, on a connection of its own. */
export interface WireCaller {
  open(path: string, headers?: Headers): WireCall;
  close(): Promise<void>;
}

/** Short texts for long bytes: what differs is to be read, and 20 MiB are not. */
export function shown(bytes: Buffer): string {
  if (bytes.length <= 1_024) return bytes.toString('hex');
  return `${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex')}`;
}

export async function connectWire({ address, certificates }: Target): Promise<WireCaller> {
  const session =
    certificates === undefined
      ? http2.connect(`http://${address}`)
      : http2.connect(`https://${address}`, {
          ca: certificates.caCert,
          cert: certificates.client.cert,
          key: certificates.client.key,
        });
  await new Promise<void>((resolve, reject) => {
    session.once('connect', () => resolve());
    session.once('error', reject);
  });
  session.on('error', () => undefined);
  session.setLocalWindowSize(8 * 1024 * 1024);
  return {
    open(path, headers = {}) {
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...(headers as http2.OutgoingHttpHeaders),
      });
      return new Exchange(stream);
    },
    close: () =>
      new Promise((resolve) => {
        if (session.closed || session.destroyed) return resolve();
        session.once('close', () => resolve());
        session.destroy();
      }),
  };
}

class Exchange implements WireCall {
  readonly #stream: http2.ClientHttp2Stream;
  readonly #messages: string[] = [];
  readonly #watchers = new Set<() => void>();
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #wantedBytes = PREFIX_BYTES;
  #head: http2.IncomingHttpHeaders & { ':status'?: number | undefined } = {};
  #tail: http2.IncomingHttpHeaders | undefined;
  #closed = false;
  readonly outcome: Promise<WireOutcome>;

  constructor(stream: http2.ClientHttp2Stream) {
    this.#stream = stream;
    stream.on('response', (headers) => {
      this.#head = headers;
    });
    stream.on('trailers', (headers) => {
      this.#tail = headers;
    });
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', () => undefined);
    this.outcome = new Promise((resolve) => {
      const end = (): void => {
        this.#closed = true;
        this.#tell();
        resolve(this.#outcome());
      };
      stream.on('close', end);
      // The other side is through, though this one may not be: a client leaves it at that.
      stream.on('end', () => {
        if (this.#tail !== undefined) end();
      });
    });
  }

  send(message: Buffer, compression?: 'gzip' | 'deflate'): Promise<void> {
    return new Promise((resolve) => {
      this.#stream.write(framed(message, compression), () => resolve());
    });
  }

  sendBytes(bytes: Buffer): void {
    this.#stream.write(bytes);
  }

  halfClose(): void {
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.close(http2.constants.NGHTTP2_CANCEL);
  }

  received(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#messages.length < count && !this.#closed) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
    while (this.#chunkBytes >= this.#wantedBytes) {
      const bytes = Buffer.concat(this.#chunks);
      const end = PREFIX_BYTES + bytes.readUInt32BE(1);
      this.#wantedBytes = end;
      this.#chunks = [bytes];
      if (bytes.length < end) break;
      this.#messages.push(shown(this.#unpack(bytes.subarray(PREFIX_BYTES, end), bytes[0] === 1)));
      this.#chunks = [bytes.subarray(end)];
      this.#chunkBytes = bytes.length - end;
      this.#wantedBytes = PREFIX_BYTES;
    }
    this.#tell();
  }

  #unpack(body: Buffer, isPacked: boolean): Buffer {
    if (!isPacked) return body;
    return this.#head['grpc-encoding'] === 'gzip' ? gunzipSync(body) : inflateSync(body);
  }

  #tell(): void {
    for (const look of [...this.#watchers]) look();
  }

  #outcome(): WireOutcome {
    // Trailers-only: what looks like headers are the trailers.
    const only = this.#tail === undefined && this.#head['grpc-status'] !== undefined;
    const tail = only ? this.#head : (this.#tail ?? {});
    return {
      httpStatus: this.#head[':status'] ?? 0,
      headers: only ? {} : travelling(this.#head),
      messages: this.#messages,
      code: tail['grpc-status']?.toString(),
      message: decodeURIComponent(tail['grpc-message']?.toString() ?? ''),
      trailers: travelling(tail),
      reset: this.#stream.rstCode ?? 0,
    };
  }
}

/** What each hop makes anew (gRPC over HTTP2); listed here once more, so that a key missing in the gateway's list is found. */
const OF_ONE_HOP =
  /^(:.*|content-type|te|user-agent|grpc-(timeout|encoding|accept-encoding|status|message)|date|accept-encoding)$/;

/** The metadata that belongs to the call, in a form in which equal means the same to gRPC. */
export function travelling(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(headers)) {
    if (OF_ONE_HOP.test(key) || value === undefined) continue;
    const values = (Array.isArray(value) ? value : [value]).map(String);
    metadata[key] = key.endsWith('-bin')
      ? values
          .flatMap((one) => one.split(','))
          .map((one) => Buffer.from(one.trim(), 'base64').toString('hex'))
          .join(' ')
      : values.join(', ');
  }
  return metadata;
}
