import { GatewayError } from '../../src/errors.js';
import type { Call, Departure } from '../../src/rpc/call.js';
import type { Metadata } from '../../src/rpc/metadata.js';
import type { Status } from '../../src/rpc/status.js';

/** A stream of a caller, in the test's hand. */
export class ScriptedCall implements Call {
  readonly path: string;
  readonly metadata: Metadata;
  readonly deadlineMs = undefined;
  readonly received: Buffer[] = [];
  headers: Metadata | undefined;
  ended: { readonly status: Status; readonly trailers: Metadata } | undefined;
  departure: Departure | undefined;
  readonly #abort = new AbortController();
  readonly #waiting: (Buffer | undefined)[] = [];
  #reader: { resolve(message: Buffer | undefined): void; reject(error: GatewayError): void } | undefined;
  #failure: GatewayError | undefined;

  constructor(path: string, metadata: Metadata = {}) {
    this.path = path;
    this.metadata = metadata;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get cancelled(): boolean {
    return this.departure !== undefined;
  }

  /** The caller sends; undefined: it half-closes. */
  send(message: Buffer | undefined): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) this.#waiting.push(message);
    else reader.resolve(message);
  }

  leave(departure: Departure): void {
    this.departure = departure;
    this.fail(new GatewayError('caller-cancelled', departure));
    this.#abort.abort();
  }

  /** What it sends is no gRPC. */
  fail(error: GatewayError): void {
    this.#failure = error;
    this.#reader?.reject(error);
    this.#reader = undefined;
  }

  read(): Promise<Buffer | undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#waiting.length > 0) return Promise.resolve(this.#waiting.shift());
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  sendHeaders(metadata: Metadata): void {
    if (this.ended === undefined) this.headers = metadata;
  }

  sendMessage(message: Buffer): Promise<void> {
    if (this.ended === undefined) this.received.push(message);
    return Promise.resolve();
  }

  end(status: Status, trailers: Metadata): void {
    this.ended ??= { status, trailers };
  }
}
