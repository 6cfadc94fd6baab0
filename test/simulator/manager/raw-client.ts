import { type ChannelCredentials, Client, credentials, Metadata, type StatusObject } from '@grpc/grpc-js';

const identity = (bytes: Buffer): Buffer => bytes;
const DEADLINE_MS = 20_000;

export type RawAnswer = {
  readonly code: number;
  readonly message: string;
  readonly response: Buffer | undefined;
};

/** A stream that is being written; `status` resolves at its end. */
export interface OpenStream {
  send(message: Buffer): void;
  halfClose(): void;
  cancel(): void;
  readonly messages: readonly Buffer[];
  readonly status: Promise<StatusObject>;
}

/** A grpc-js client that knows nothing of messages: bytes in, bytes out, on one connection of its own. */
export class RawClient {
  readonly #client: Client;

  constructor(address: string, channel: ChannelCredentials = credentials.createInsecure()) {
    this.#client = new Client(address, channel, {
      // Also in the certificates; TLS knows no addresses as server names, and Node warns of them (DEP0123).
      'grpc.ssl_target_name_override': 'localhost',
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      'grpc.initial_reconnect_backoff_ms': 20,
      'grpc.max_reconnect_backoff_ms': 50,
    });
  }

  async unary(
    path: string,
    message: Buffer,
    options: { deadlineMs?: number; metadata?: Metadata } = {},
  ): Promise<RawAnswer> {
    const stream = this.open(path, options);
    stream.send(message);
    stream.halfClose();
    const status = await stream.status;
    return { code: status.code, message: status.details, response: stream.messages[0] };
  }

  open(path: string, options: { deadlineMs?: number; metadata?: Metadata } = {}): OpenStream {
    const deadline = Date.now() + (options.deadlineMs ?? DEADLINE_MS);
    const call = this.#client.makeBidiStreamRequest(
      path,
      identity,
      identity,
      options.metadata ?? new Metadata(),
      { deadline },
    );
    const messages: Buffer[] = [];
    const status = new Promise<StatusObject>((resolve) => call.on('status', resolve));
    call.on('data', (message: Buffer) => messages.push(message));
    // Every error comes as a status, too.
    call.on('error', () => {});
    return {
      send: (message) => void call.write(message),
      halfClose: () => void call.end(),
      cancel: () => call.cancel(),
      messages,
      status,
    };
  }

  close(): void {
    this.#client.close();
  }
}
