import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GatewayError } from '../errors.js';
import type { HostCheck } from './host-check.js';

/** An answer over HTTP. */
export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers GET and HEAD of one path. */
export type HttpRoute = (query: URLSearchParams) => Promise<HttpReply> | HttpReply;

/** Server-sent events of one path: `send` as long as somebody listens; returns what ends it. */
export type EventStream = (send: (event: string, data: unknown) => void) => () => void;

/** What somebody posts; `authorization` as it was sent, "" for none. */
export interface Posted {
  readonly authorization: string;
  /** The address of whoever posts. */
  readonly from: string;
  readonly body: string;
}

/** Answers a POST of one path. */
export type PostRoute = (posted: Posted) => Promise<HttpReply> | HttpReply;

export interface HttpServer {
  /** Resolves with the address that was bound; rejects with `listen-failed`, naming it and why. */
  listen(): Promise<{ host: string; port: number }>;
  stop(): Promise<void>;
}

export interface HttpServerOptions {
  /** For messages: the key of the configuration that says where to listen. */
  readonly name: string;
  readonly addr: { readonly host: string; readonly port: number };
  readonly routes: ReadonlyMap<string, HttpRoute>;
  readonly posts?: ReadonlyMap<string, PostRoute>;
  readonly streams?: ReadonlyMap<string, EventStream>;
  /** By which names it may be called; absent: by any. */
  readonly mayBeCalled?: HostCheck;
  readonly onError: (error: unknown) => void;
}

/** Bodies are a few words; more than this is read by nobody. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_UNREAD_BYTES = 1024 * 1024;

/** A small server for health, readiness, metrics and the operator: GET and HEAD of exact paths, and POSTs with small bodies. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const server = createServer((request, response) => void respond(options, request, response));
  // A scraper takes seconds at most; nobody may hold a socket for longer.
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  return {
    listen: () => listen(server, options),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(
  server: Server,
  { name, addr, onError }: HttpServerOptions,
): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new GatewayError('listen-failed', `${name} ${addr.host}:${addr.port}: ${cause.message}`, { cause }),
      ),
    );
    server.listen({ host: addr.host, port: addr.port }, () => {
      server.removeAllListeners('error');
      // What accept() says later (EMFILE above all) passes; unheard it would end the process.
      server.on('error', onError);
      const { address, port } = server.address() as AddressInfo;
      resolve({ host: address, port });
    });
  });
}

async function respond(
  options: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const known = options.mayBeCalled?.(request.headers.host) ?? true;
  const stream = known && request.method === 'GET' ? options.streams?.get(pathOf(request)) : undefined;
  if (stream !== undefined) return streamEvents(stream, request, response);
  const reply = known ? await replyTo(options, request) : misdirected(request);
  const headers = {
    ...reply.headers,
    'content-type': reply.contentType,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
  response.writeHead(reply.status, headers);
  response.end(request.method === 'HEAD' ? undefined : reply.body);
}

/** RFC 9110 §15.5.20. */
function misdirected({ headers }: IncomingMessage): HttpReply {
  const host = JSON.stringify(headers.host?.slice(0, 64));
  return text(421, `${host} is no name of this server: call it by address, or name it in admin.hosts\n`);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}

/** Pages that listen at the same time; one more is told to come back. */
const MAX_STREAMS = 32;
let streaming = 0;

function streamEvents(stream: EventStream, request: IncomingMessage, response: ServerResponse): void {
  if (streaming >= MAX_STREAMS) {
    response.writeHead(503, { 'retry-after': '30' }).end();
    return;
  }
  streaming++;
  request.socket.setTimeout(0);
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  const end = stream((event, data) => {
    // Whoever does not read is not told either: what he misses is in the next one.
    if (response.writableLength < MAX_UNREAD_BYTES)
      response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  });
  response.once('close', () => {
    streaming--;
    end();
  });
}

async function replyTo(
  { routes, posts, onError }: HttpServerOptions,
  request: IncomingMessage,
): Promise<HttpReply> {
  const path = pathOf(request);
  const post = posts?.get(path);
  const route = routes.get(path);
  try {
    if (post !== undefined)
      return request.method === 'POST' ? await take(post, request) : text(405, 'POST\n');
    if (route === undefined) {
      const named = [...routes.keys()].filter((known) => !known.startsWith('/page/'));
      return text(404, `not found; there is ${named.join(', ')}\n`);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'GET or HEAD\n');
    return await route(new URLSearchParams((request.url ?? '').split('?').slice(1).join('?')));
  } catch (error) {
    onError(error);
    return text(500, 'internal error; see the log\n');
  }
}

async function take(post: PostRoute, request: IncomingMessage): Promise<HttpReply> {
  const body = await bodyOf(request);
  switch (body.kind) {
    case 'whole':
      return post({
        authorization: request.headers.authorization ?? '',
        from: request.socket.remoteAddress ?? '',
        body: body.text,
      });
    case 'too-large':
      return text(413, `at most ${MAX_BODY_BYTES} bytes\n`);
    case 'cut':
      // Nobody is there to read it.
      return text(400, 'the request ended in the middle\n');
    default:
      return body satisfies never;
  }
}

type Body =
  | { readonly kind: 'whole'; readonly text: string }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'cut' };

/** Always settles: `requestTimeout` cuts off whoever is slow. What is too much is read and dropped, so that the answer to it can be read. */
function bodyOf(request: IncomingMessage): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_BODY_BYTES) chunks.length = 0;
      else chunks.push(chunk);
    });
    request.on('end', () => {
      if (sizeBytes > MAX_BODY_BYTES) return resolve({ kind: 'too-large' });
      resolve({ kind: 'whole', text: Buffer.concat(chunks).toString('utf8') });
    });
    request.on('error', () => resolve({ kind: 'cut' }));
    request.on('close', () => resolve({ kind: 'cut' }));
  });
}

export function text(status: number, body: string): HttpReply {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

export function json(status: number, value: unknown): HttpReply {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}
