import type { Channel as GrpcChannel, Metadata as GrpcMetadata, StatusObject } from '@grpc/grpc-js';
import { type Metadata, NO_METADATA } from '../rpc/metadata.js';
import { Code, type Status } from '../rpc/status.js';
import { fromGrpcMetadata } from './metadata.js';

/** What a call brings, in this order: headers at most once, messages as they are asked for, the status once. */
export interface ChannelCallListener {
  headers(metadata: Metadata): void;
  message(message: Buffer): void;
  status(status: Status, trailers: Metadata): void;
}

type GrpcCall = ReturnType<GrpcChannel['createCall']>;

/**
 * One call on one channel, of any shape: as far as grpc-js knows they are all bidirectional, because its other
 * shapes turn "OK without a message" into UNIMPLEMENTED.
 */
export class ChannelCall {
  readonly #grpc: GrpcCall;
  readonly #listener: ChannelCallListener;
  readonly #explain: (status: StatusObject) => Status;
  readonly #onEnd: (call: ChannelCall) => void;
  #ended = false;
  #written: (() => void) | undefined;

  constructor(
    grpc: GrpcCall,
    metadata: GrpcMetadata,
    /** In words for the caller. */
    explain: (status: StatusObject) => Status,
    listener: ChannelCallListener,
    onEnd: (call: ChannelCall) => void,
  ) {
    this.#grpc = grpc;
    this.#listener = listener;
    this.#explain = explain;
    this.#onEnd = onEnd;
    grpc.start(metadata, {
      onReceiveMetadata: (received) => {
        if (!this.#ended) listener.headers(fromGrpcMetadata(received));
      },
      onReceiveMessage: (message: Buffer) => {
        if (!this.#ended) listener.message(message);
      },
      onReceiveStatus: (status) => this.#receiveStatus(status),
    });
  }

  /** Resolves when the manager's flow control has taken it, or the call is over. One at a time. */
  send(message: Buffer): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      this.#written = resolve;
      this.#grpc.sendMessageWithContext({ callback: () => resolve() }, message);
    });
  }

  halfClose(): void {
    if (!this.#ended) this.#grpc.halfClose();
  }

  /** Asks for one message more; without it none comes, and no OK either while there are any left. */
  requestMessage(): void {
    if (!this.#ended) this.#grpc.startRead();
  }

  /** The manager sees RST_STREAM; the listener gets `status` at once. After the end: nothing. */
  cancel(status: Status): void {
    if (this.#ended) return;
    this.#grpc.cancelWithStatus(Code.CANCELLED, status.message);
    this.#end(status, NO_METADATA);
  }

  #receiveStatus(status: StatusObject): void {
    if (this.#ended) return;
    this.#end(this.#explain(status), fromGrpcMetadata(status.metadata));
  }

  #end(status: Status, trailers: Metadata): void {
    this.#ended = true;
    this.#onEnd(this);
    this.#written?.();
    this.#listener.status(status, trailers);
  }
}
