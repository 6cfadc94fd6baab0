import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GatewayError } from '../errors.js';

/** An answer over HTTP. */
export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Answers GET and HEAD of one path. */
export type HttpRoute = () => Promise<HttpReply> | HttpReply;

/** Answers a POST of one path; `authorization` as it was sent, "" for none. */
export type PostRoute = (authorization: string) => HttpReply;

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
  readonly onError: (error: unknown) => void;
}

/** A small server for health, readiness and metrics: GET and HEAD of exact paths. */
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
  const reply = await replyTo(options, request);
  const headers = {
    'content-type': reply.contentType,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
  response.writeHead(reply.status, headers);
  response.end(request.method === 'HEAD' ? undefined : reply.body);
}

async function replyTo(
  { routes, posts, onError }: HttpServerOptions,
  request: IncomingMessage,
): Promise<HttpReply> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const post = posts?.get(path);
  if (post !== undefined) {
    return request.method === 'POST' ? post(request.headers.authorization ?? '') : text(405, 'POST\n');
  }
  const route = routes.get(path);
  if (route === undefined) return text(404, `not found; there is ${[...routes.keys()].join(', ')}\n`);
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'GET or HEAD\n');
  try {
    return await route();
  } catch (error) {
    onError(error);
    return text(500, 'internal error; see the log\n');
  }
}

export function text(status: number, body: string): HttpReply {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
