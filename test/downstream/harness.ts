import http2 from 'node:http2';
import net from 'node:net';
import { Client, credentials, Metadata, type StatusObject } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { CallerLimits, DownstreamLimits, DownstreamOptions } from '../../src/downstream/engine.js';
import { createDownstream } from '../../src/downstream/server.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import type { Call, CallHandler } from '../../src/rpc/call.js';
import { systemClock } from '../../src/rpc/clock.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import { OK_STATUS } from '../../src/rpc/status.js';

const NO_TLS = { caCert: '', cert: '', key: '', clientAuth: 'none' } as const;

/** Answers each call with its one message. */
export const echo: CallHandler = async (call) => {
  const message = await call.read();
  if (message) await call.sendMessage(message);
  call.end(OK_STATUS, NO_METADATA);
};

/** As the configuration has them by default. */
export const USUAL: CallerLimits = {
  connectionsPerAddress: 0,
  firstFrameTimeoutMs: 10_000,
  idleTimeoutMs: 3_600_000,
  resetsPerSecond: 100,
  pingsPerSecond: 500,
  settingsPerSecond: 10,
  refusalsPerSecond: 100,
  asksPerSecond: 200,
  bytesInFlight: 256 * 1024 * 1024,
};

/** A listener on loopback that closes with its test. */
export async function startDownstream({
  limits,
  ...overrides
}: Partial<Omit<DownstreamOptions, 'limits'> & Omit<DownstreamLimits, 'limits'>> & {
  readonly limits?: Partial<CallerLimits>;
} = {}) {
  const events = new EventLog();
  const downstream = createDownstream({
    listen: { host: '127.0.0.1', port: 0 },
    tls: NO_TLS,
    limits: {
      maxConnections: 5_000,
      maxConcurrentStreams: 256,
      maxMetadataBytes: 16_384,
      maxMessageBytes: 4 * 1024 * 1024,
      ping: { intervalMs: 30_000, timeoutMs: 10_000 },
      ...overrides,
      limits: { ...USUAL, ...limits },
    },
    clock: systemClock,
    handler: echo,
    ...overrides,
    emit: (event) => events.add(event),
  });
  onTestFinished(() => downstream.close());
  const { port } = await downstream.listen();
  return { downstream, port, events };
}

/** What was emitted, and a way to wait for what will be. */
export class EventLog {
  readonly all: GatewayEvent[] = [];
  readonly #watchers = new Set<() => void>();

  add(event: GatewayEvent): void {
    this.all.push(event);
    for (const watch of [...this.#watchers]) watch();
  }

  of<Kind extends GatewayEvent['kind']>(kind: Kind): Extract<GatewayEvent, { kind: Kind }>[] {
    return this.all.filter((event): event is Extract<GatewayEvent, { kind: Kind }> => event.kind === kind);
  }

  /** Resolves once `count` events of `kind` have been seen since the start. */
  seen(kind: GatewayEvent['kind'], count = 1): Promise<void> {
    return this.until(() => this.of(kind).length >= count);
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const watch = () => {
        if (!holds()) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
      watch();
    });
  }
}

export const raw = (bytes: Buffer) => bytes;

export function grpcClient(
  port: number,
  options: Record<string, string | number> = {},
  creds = credentials.createInsecure(),
) {
  const client = new Client(`127.0.0.1:${port}`, creds, {
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': -1,
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

export interface Outcome {
  readonly messages: Buffer[];
  readonly status: StatusObject;
  readonly headers: Metadata | undefined;
}

/** One call of any shape with grpc-js; never rejects. */
export function call(
  client: Client,
  messages: readonly Buffer[],
  { path = '/test.Service/Method', metadata = new Metadata(), deadlineMs }: CallOptions = {},
): Promise<Outcome> {
  const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
  const stream = client.makeBidiStreamRequest(path, raw, raw, metadata, options);
  const received: Buffer[] = [];
  let headers: Metadata | undefined;
  stream.on('metadata', (value: Metadata) => {
    headers = value;
  });
  stream.on('data', (message: Buffer) => received.push(message));
  stream.on('error', () => {});
  const finished = new Promise<Outcome>((resolve) => {
    stream.on('status', (status: StatusObject) => resolve({ messages: received, status, headers }));
  });
  for (const message of messages) stream.write(message);
  stream.end();
  return finished;
}

export interface CallOptions {
  readonly path?: string;
  readonly metadata?: Metadata;
  readonly deadlineMs?: number;
}

export function http2Client(port: number): http2.ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return session;
}

export const GRPC_HEADERS = {
  ':method': 'POST',
  ':path': '/test.Service/Method',
  'content-type': 'application/grpc',
  te: 'trailers',
} as const;

export interface RawReply {
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly rstCode: number | undefined;
}

/** One request with node:http2, below gRPC. `body` undefined: the request is not ended. */
export function request(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body: Buffer | undefined = Buffer.alloc(0),
): Promise<RawReply> {
  const stream = session.request({ ...GRPC_HEADERS, ...headers });
  // node:http2 half-closes a GET by itself.
  if (body && !stream.writableEnded) stream.end(body);
  return replyOf(stream);
}

export function replyOf(stream: http2.ClientHttp2Stream): Promise<RawReply> {
  let head: RawReply['headers'] = {};
  let trailers: http2.IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  stream.on('response', (received) => {
    head = received;
  });
  stream.on('trailers', (received) => {
    trailers = received;
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => {});
  return new Promise((resolve) => {
    stream.on('close', () => {
      resolve({ headers: head, trailers, body: Buffer.concat(chunks), rstCode: stream.rstCode });
    });
  });
}

/** A plain TCP connection; resolves once it is up. */
export async function tcp(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

export function closed(socket: net.Socket): Promise<void> {
  socket.resume();
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
}

/** A handler whose calls the test gets hold of, in order, and ends itself. */
export function heldCalls() {
  const arrived: Call[] = [];
  const waiting: ((call: Call) => void)[] = [];
  const endings: (() => void)[] = [];
  const handler: CallHandler = (call) => {
    const waiter = waiting.shift();
    if (waiter) waiter(call);
    else arrived.push(call);
    return new Promise((resolve) => {
      endings.push(resolve);
    });
  };
  const next = (): Promise<Call> => {
    const call = arrived.shift();
    return call ? Promise.resolve(call) : new Promise((resolve) => waiting.push(resolve));
  };
  onTestFinished(() => {
    for (const finish of endings) finish();
  });
  return { handler, next };
}

export function deferred<T = void>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
