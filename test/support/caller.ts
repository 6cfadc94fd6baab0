import http2 from 'node:http2';
import net from 'node:net';

/** What a call brought, as it stood on the wire. */
export interface Called {
  readonly code: number;
  readonly message: string;
  readonly response: Buffer | undefined;
  readonly trailers: Readonly<Record<string, string>>;
}

/** A light caller with one connection, for many at a time: unary calls only, bytes in, bytes out. */
export interface Caller {
  call(path: string, request: Buffer, metadata?: Readonly<Record<string, string>>): Promise<Called>;
  /** Begins a call and gives the means to cancel it. `halfOpen`: more may come. */
  begin(
    path: string,
    request: Buffer,
    metadata?: Readonly<Record<string, string>>,
    halfOpen?: boolean,
  ): { readonly called: Promise<Called>; cancel(): void };
  close(): Promise<void>;
}

export async function connectCaller(
  address: string,
  metadata: Readonly<Record<string, string>> = {},
  /** From which address of this machine; it is what the gateway sees of a caller. */
  localAddress = '127.0.0.1',
): Promise<Caller> {
  const url = new URL(`http://${address}`);
  const session = http2.connect(url, {
    createConnection: () => net.connect({ host: url.hostname, port: Number(url.port), localAddress }),
  });
  await new Promise<void>((resolve, reject) => {
    session.once('connect', () => resolve());
    session.once('error', reject);
  });
  session.on('error', () => undefined);
  const begin: Caller['begin'] = (path, request, more = {}, halfOpen = false) => {
    const stream = session.request({
      ...metadata,
      ...more,
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.write(Buffer.concat([header(request.length), request]));
    if (!halfOpen) stream.end();
    return { called: outcome(stream), cancel: () => stream.close(http2.constants.NGHTTP2_CANCEL) };
  };
  return {
    begin,
    call: (path, request, more) => begin(path, request, more).called,
    close: () =>
      new Promise((resolve) => {
        if (session.destroyed) return resolve();
        session.once('close', () => resolve());
        session.destroy();
      }),
  };
}

function header(length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function outcome(stream: http2.ClientHttp2Stream): Promise<Called> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let trailers: Record<string, string> = {};
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) trailers = headers as Record<string, string>;
    });
    stream.on('trailers', (headers) => {
      trailers = headers as Record<string, string>;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      const bytes = Buffer.concat(chunks);
      resolve({
        code: Number(trailers['grpc-status'] ?? -1),
        message: decodeURIComponent(trailers['grpc-message'] ?? ''),
        response: bytes.length === 0 ? undefined : bytes.subarray(5),
        trailers,
      });
    });
  });
}
