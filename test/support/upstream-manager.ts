import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { freePort } from '../../src/simulator/free-port.js';

/** One call as it arrived at the manager, to be answered by hand. */
export class ReceivedCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly session: ServerHttp2Session;
  readonly stream: ServerHttp2Stream;
  readonly #messages: Buffer[] = [];
  readonly #readers: ((message: Buffer | undefined) => void)[] = [];
  #pending = Buffer.alloc(0);
  #halfClosed = false;
  #trailers: OutgoingHttpHeaders = {};

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.stream = stream;
    this.headers = headers;
    this.path = String(headers[':path']);
    this.session = stream.session as ServerHttp2Session;
    stream.on('error', () => {}); // a reset is what many tests are about
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('end', () => this.#endOfMessages());
    stream.on('close', () => this.#endOfMessages());
    stream.on('wantTrailers', () => stream.sendTrailers(this.#trailers));
  }

  /** The next message, undefined after the half-close. */
  read(): Promise<Buffer | undefined> {
    if (this.#messages.length > 0 || this.#halfClosed) return Promise.resolve(this.#messages.shift());
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  respond(headers: OutgoingHttpHeaders = {}): void {
    const answer = { ':status': 200, 'content-type': 'application/grpc', ...headers };
    this.stream.respond(answer, { waitForTrailers: true });
  }

  /** False when flow control holds it back. */
  send(message: Buffer, compressed = false): boolean {
    return this.stream.write(frame(message, compressed));
  }

  end(code: number, message = '', trailers: OutgoingHttpHeaders = {}): void {
    if (this.stream.destroyed) return;
    this.#trailers = {
      'grpc-status': String(code),
      ...(message && { 'grpc-message': message }),
      ...trailers,
    };
    if (this.stream.headersSent) this.stream.end();
    else this.#endAtOnce();
  }

  /** One message, OK. */
  answer(message: Buffer): void {
    if (this.stream.destroyed) return;
    this.respond();
    this.send(message);
    this.end(0);
  }

  /** Resolves with the RST_STREAM code, 0 for a clean end. */
  async closed(): Promise<number> {
    if (!this.stream.closed) await once(this.stream, 'close');
    return this.stream.rstCode ?? 0;
  }

  #endAtOnce(): void {
    const headers = { ':status': 200, 'content-type': 'application/grpc', ...this.#trailers };
    this.stream.respond(headers, { endStream: true });
  }

  #receive(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= 5) {
      const end = 5 + this.#pending.readUInt32BE(1);
      if (this.#pending.length < end) return;
      const message = this.#pending.subarray(5, end);
      this.#pending = this.#pending.subarray(end);
      const reader = this.#readers.shift();
      if (reader) reader(message);
      else this.#messages.push(message);
    }
  }

  #endOfMessages(): void {
    this.#halfClosed = true;
    for (const reader of this.#readers.splice(0)) reader(undefined);
  }
}

export function frame(message: Buffer, compressed = false): Buffer {
  const header = Buffer.alloc(5);
  header[0] = compressed ? 1 : 0;
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

const PROBE_PATH = '/manager.v2.Manager/GetScheduler';

export interface ManagerBehaviour {
  /** Default: the message comes back. */
  call?(call: ReceivedCall): void | Promise<void>;
  /** Default: INTERNAL "record not found", as a manager says. */
  probe?(call: ReceivedCall): void;
  host?: string;
  port?: number;
  tls?: { readonly key: string; readonly cert: string; readonly ca?: string } & Pick<
    SecureContextOptions,
    'minVersion' | 'maxVersion' | 'ciphers'
  >;
}

/** A manager at the level of HTTP/2 frames: counts its connections and does what the test says. */
export class TestManager {
  readonly #server: Http2Server | Http2SecureServer;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  /** Replaceable while it runs. */
  readonly behaviour: ManagerBehaviour;
  port = 0;
  connectionsEver = 0;
  probes = 0;

  private constructor(behaviour: ManagerBehaviour) {
    this.behaviour = behaviour;
    const { tls } = behaviour;
    this.#server = tls
      ? createSecureServer({
          ...tls,
          requestCert: tls.ca !== undefined,
          rejectUnauthorized: tls.ca !== undefined,
        })
      : createServer();
    this.#server.on('connection', (socket: Socket) => {
      this.connectionsEver++;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('error', () => {});
      session.on('close', () => this.#sessions.delete(session));
    });
    this.#server.on('stream', (stream, headers) => void this.#serve(new ReceivedCall(stream, headers)));
  }

  static async start(behaviour: ManagerBehaviour = {}): Promise<TestManager> {
    const manager = new TestManager(behaviour);
    const { host = '127.0.0.1', port = await freePort(host) } = behaviour;
    manager.#server.listen(port, host);
    await once(manager.#server, 'listening');
    manager.port = port;
    return manager;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  get sessions(): readonly ServerHttp2Session[] {
    return [...this.#sessions];
  }

  get sockets(): readonly Socket[] {
    return [...this.#sockets];
  }

  /** As kill -9: every connection breaks, nobody listens any more. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(call: ReceivedCall): Promise<void> {
    if (call.path === PROBE_PATH) {
      this.probes++;
      if (this.behaviour.probe) this.behaviour.probe(call);
      else call.end(13, 'record not found');
      return;
    }
    if (this.behaviour.call) await this.behaviour.call(call);
    else call.answer((await call.read()) ?? Buffer.alloc(0));
  }
}
