import http2 from 'node:http2';
import { Code, type Status } from '../rpc/status.js';

/** What a running gateway said to one unary call. */
export interface Said {
  readonly status: Status;
  readonly message: Buffer | undefined;
  /** Trailers, `x-dfmgw-*` among them. */
  readonly trailers: Readonly<Record<string, string>>;
}

export interface GatewayCaller {
  /** Never rejects: what goes wrong on the way is UNAVAILABLE, and no answer in time DEADLINE_EXCEEDED. */
  call(path: string, message: Buffer, timeoutMs: number): Promise<Said>;
  close(): void;
}

export interface GatewayTarget {
  /** host:port */
  readonly authority: string;
  readonly tls: boolean;
  /** PEM; "": the authorities of Node. */
  readonly caCert: string;
  /** PEM, shown to a gateway that wants to know who calls; "": none. */
  readonly cert: string;
  readonly key: string;
}

const FRAME_HEAD_BYTES = 5;
/** gRPC allows eight digits (PROTOCOL-HTTP2.md). */
const LONGEST_TIMEOUT_MS = 99_999_999;

/** A caller with one connection, dialled again when it is lost; for commands, which make few calls. */
export function createGatewayCaller(target: GatewayTarget): GatewayCaller {
  let session: http2.ClientHttp2Session | undefined;
  const connected = (): http2.ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const made = http2.connect(`${target.tls ? 'https' : 'http'}://${target.authority}`, {
      ...(target.caCert === '' ? {} : { ca: target.caCert }),
      ...(target.cert === '' ? {} : { cert: target.cert, key: target.key }),
    });
    // Each call learns of it through its own stream.
    made.on('error', () => undefined);
    session = made;
    return made;
  };
  return {
    call: (path, message, timeoutMs) =>
      new Promise((resolve) => {
        try {
          exchange(connected(), path, message, Math.min(Math.ceil(timeoutMs), LONGEST_TIMEOUT_MS), resolve);
        } catch (error) {
          resolve(unavailable(error));
        }
      }),
    close: () => session?.destroy(),
  };
}

/** One unary call over `session`; `done` is called once, whatever happens. */
export function exchange(
  session: http2.ClientHttp2Session,
  path: string,
  message: Buffer,
  timeoutMs: number,
  done: (said: Said) => void,
): void {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': `${timeoutMs}m`,
  });
  const chunks: Buffer[] = [];
  let trailers: Readonly<Record<string, string>> = {};
  let failure: unknown;
  const timer = setTimeout(() => {
    failure = { status: { code: Code.DEADLINE_EXCEEDED, message: `no answer within ${timeoutMs} ms` } };
    stream.close(http2.constants.NGHTTP2_CANCEL);
  }, timeoutMs);
  const take = (headers: http2.IncomingHttpHeaders): void => {
    if (headers['grpc-status'] !== undefined) trailers = headers as Record<string, string>;
  };
  stream.on('response', take);
  stream.on('trailers', take);
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', (error) => {
    failure ??= error;
  });
  stream.on('close', () => {
    clearTimeout(timer);
    const code = trailers['grpc-status'];
    if (code === undefined) return done(unavailable(failure));
    const bytes = Buffer.concat(chunks);
    done({
      status: { code: Number(code), message: decoded(trailers['grpc-message'] ?? '') },
      message: bytes.length < FRAME_HEAD_BYTES ? undefined : bytes.subarray(FRAME_HEAD_BYTES),
      trailers,
    });
  });
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([head, message]));
}

function unavailable(error: unknown): Said {
  if (typeof error === 'object' && error !== null && 'status' in error)
    return { status: error.status as Status, message: undefined, trailers: {} };
  // "The pending stream has been canceled" says less than why.
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const detail = reason instanceof Error ? reason.message : 'the connection ended without an answer';
  return { status: { code: Code.UNAVAILABLE, message: detail }, message: undefined, trailers: {} };
}

/** Percent-encoded; what is not is shown as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
