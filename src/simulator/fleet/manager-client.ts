import { type ChannelOptions, Client, type ClientDuplexStream, credentials, Metadata } from '@grpc/grpc-js';
import type { Clock } from '../../rpc/clock.js';
import { Code } from '../../rpc/status.js';
import type { CallOutcome } from './call-outcome.js';
import type { Message } from './messages.js';

const asIs = (bytes: Buffer): Buffer => bytes;

/** Set once, for every channel: nothing shared between callers, nothing kept, nothing looked up. */
const LIGHT: ChannelOptions = {
  // Otherwise all daemons of this process would share one connection.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.per_rpc_retry_buffer_size': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_channelz': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
};

/** Already scaled, ms. */
export interface ReconnectBackoff {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** A stream that is being held open. `endedWith` is the status code once it has ended. */
export interface HeldStream {
  readonly endedWith: number | undefined;
  send(bytes: Buffer): void;
  cancel(): void;
}

/** One channel of one caller: the only place of the fleet that knows grpc-js. */
export class ManagerClient {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #calls = new Set<{ cancel(): void }>();
  #closed = false;

  /** `address` is `host:port`; nothing is connected before it is asked for. */
  constructor(address: string, options: { clock: Clock; backoff: ReconnectBackoff }) {
    this.#clock = options.clock;
    this.#client = new Client(address, credentials.createInsecure(), {
      ...LIGHT,
      'grpc.initial_reconnect_backoff_ms': options.backoff.initialMs,
      'grpc.min_reconnect_backoff_ms': options.backoff.initialMs,
      'grpc.max_reconnect_backoff_ms': options.backoff.maxMs,
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves true once connected, false when `timeoutMs` has passed or the client was closed. */
  connect(timeoutMs: number): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#client.waitForReady(Date.now() + timeoutMs, (error) => resolve(error === undefined));
    });
  }

  /** One unary call; never rejects. `deadlineMs` from now. */
  unary(message: Message, deadlineMs: number): Promise<CallOutcome> {
    if (this.#closed) return Promise.resolve(notSent('client is closed'));
    const startedMs = this.#clock.nowMs();
    return new Promise((resolve) => {
      const call = this.#client.makeUnaryRequest(
        message.path,
        asIs,
        asIs,
        message.bytes,
        new Metadata(),
        { deadline: Date.now() + deadlineMs },
        (error, body) => {
          this.#calls.delete(call);
          const latencyMs = this.#clock.nowMs() - startedMs;
          if (error) resolve({ code: error.code, message: error.details, body: undefined, latencyMs });
          else resolve({ code: Code.OK, message: '', body, latencyMs });
        },
      );
      this.#calls.add(call);
    });
  }

  /** A KeepAlive: opened as bidirectional, because a client stream takes "OK without a message" for a failure. */
  openStream(path: string): HeldStream {
    const stream = this.#client.makeBidiStreamRequest(path, asIs, asIs, new Metadata());
    this.#calls.add(stream);
    return new GrpcStream(stream, () => this.#calls.delete(stream));
  }

  /** Cancels what is under way and gives the connection up. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const call of this.#calls) call.cancel();
    this.#client.close();
  }
}

class GrpcStream implements HeldStream {
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  endedWith: number | undefined;

  constructor(stream: ClientDuplexStream<Buffer, Buffer>, onEnd: () => void) {
    this.#stream = stream;
    stream.on('data', () => {});
    // The status says the same and more; without a listener the error would end the process.
    stream.on('error', () => {});
    stream.on('status', (status) => {
      this.endedWith = status.code;
      onEnd();
    });
  }

  send(bytes: Buffer): void {
    if (this.endedWith === undefined) this.#stream.write(bytes);
  }

  cancel(): void {
    this.#stream.cancel();
  }
}

function notSent(why: string): CallOutcome {
  return { code: Code.CANCELLED, message: why, body: undefined, latencyMs: 0 };
}
