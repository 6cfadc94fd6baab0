import http2 from 'node:http2';
import { framed, PREFIX_BYTES } from '../../../support/framed.js';
import { machineMs } from '../stage/monotonic.js';

/** A timer that rings later than this. */
const LATE_MS = 100;
const SECOND_LOOK_MS = 500;

/** One connection of a caller or a node, through a link. Unary calls with a deadline, and KeepAlive streams. */
export interface Session {
  readonly replica: number;
  readonly life: number;
  readonly closed: boolean;
  call(path: string, request: Buffer, deadlineMs: number): Promise<Outcome>;
  open(path: string): OpenStream;
  /** `gone`: as of a process that is killed. */
  close(how?: 'gone'): void;
}

export interface Outcome {
  /** -1: no status came. */
  readonly code: number;
  readonly message: string;
  readonly answer: Buffer;
  readonly trailers: Readonly<Record<string, unknown>>;
}

export interface OpenStream {
  readonly ended: boolean;
  send(message: Buffer): void;
  halfClose(): void;
  cancel(): void;
}

export interface Place {
  readonly replica: number;
  readonly life: number;
  readonly address: string;
}

export function connect({ replica, life, address }: Place): Session {
  const session = http2.connect(`http://${address}`);
  // Its end is seen, and what it had open ends with it.
  session.on('error', () => undefined);
  return {
    replica,
    life,
    get closed() {
      return session.destroyed || session.closed;
    },
    call: (path, request, deadlineMs) => call(session, path, request, deadlineMs),
    open: (path) => open(session, path),
    close(how) {
      if (how === 'gone' && !session.destroyed) session.socket.resetAndDestroy();
      session.destroy();
    },
  };
}

function begin(
  session: http2.ClientHttp2Session,
  path: string,
  deadlineMs?: number,
): http2.ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(deadlineMs === undefined ? {} : { 'grpc-timeout': `${deadlineMs}m` }),
  });
  stream.on('error', () => undefined);
  return stream;
}

const NOTHING: Outcome = { code: -1, message: 'no status', answer: Buffer.alloc(0), trailers: {} };

function call(
  session: http2.ClientHttp2Session,
  path: string,
  request: Buffer,
  deadlineMs: number,
): Promise<Outcome> {
  if (session.destroyed || session.closed) return Promise.resolve(NOTHING);
  return new Promise((resolve) => {
    const stream = begin(session, path, deadlineMs);
    const chunks: Buffer[] = [];
    let last: Record<string, unknown> = {};
    const take = (headers: http2.IncomingHttpHeaders): void => {
      last = { ...last, ...headers };
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    let dueMs = machineMs() + deadlineMs;
    const ring = (): void => {
      const nowMs = machineMs();
      if (nowMs - dueMs > LATE_MS) {
        // It was this process that slept: the answer may lie in its socket.
        dueMs = nowMs + SECOND_LOOK_MS;
        timer = setTimeout(ring, SECOND_LOOK_MS);
      } else if (session.connecting) {
        // A stream of a session that never came up does not close by itself.
        session.destroy();
      } else {
        stream.close(http2.constants.NGHTTP2_CANCEL);
      }
    };
    let timer = setTimeout(ring, deadlineMs);
    stream.on('close', () => {
      clearTimeout(timer);
      const bytes = Buffer.concat(chunks);
      resolve({
        code: Number(last['grpc-status'] ?? -1),
        message: String(last['grpc-message'] ?? 'no status'),
        answer: bytes.subarray(PREFIX_BYTES),
        trailers: last,
      });
    });
    stream.end(framed(request));
  });
}

function open(session: http2.ClientHttp2Session, path: string): OpenStream {
  if (session.destroyed || session.closed) return ENDED;
  const stream = begin(session, path);
  stream.resume();
  return {
    get ended() {
      return stream.closed || stream.destroyed;
    },
    send: (message) => void (stream.writable && stream.write(framed(message))),
    halfClose: () => void stream.end(),
    cancel: () => stream.close(http2.constants.NGHTTP2_CANCEL),
  };
}

const ENDED: OpenStream = {
  ended: true,
  send: () => undefined,
  halfClose: () => undefined,
  cancel: () => undefined,
};
