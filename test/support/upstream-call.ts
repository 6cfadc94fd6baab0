import type { Call, Departure } from '../../src/rpc/call.js';
import type { Metadata } from '../../src/rpc/metadata.js';
import type { Status } from '../../src/rpc/status.js';
import { deferred } from './upstream-deferred.js';

/** A caller's call without a network: what it sends is pushed, what it is sent is recorded. */
export class TestCall implements Call {
  readonly path: string;
  readonly metadata: Metadata;
  readonly deadlineMs: number | undefined;
  readonly #controller = new AbortController();
  readonly #toRead: (Buffer | undefined | Error)[] = [];
  readonly #headers = deferred<Metadata>();
  readonly #ended = deferred<{ status: Status; trailers: Metadata }>();
  #reader: (() => void) | undefined;
  /** How often it has been asked for a message. */
  reads = 0;
  departure: Departure | undefined;
  readonly received: Buffer[] = [];
  /** What `sendMessage` waits for: the caller's flow control. */
  taking: () => Promise<void> = () => Promise.resolve();

  constructor(path = '/manager.v2.Manager/KeepAlive', metadata: Metadata = {}, deadlineMs?: number) {
    this.path = path;
    this.metadata = metadata;
    this.deadlineMs = deadlineMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get cancelled(): boolean {
    return this.signal.aborted;
  }

  /** A message, `undefined` for the half-close, or what makes reading fail. */
  push(item: Buffer | undefined | Error): void {
    this.#toRead.push(item);
    this.#reader?.();
  }

  cancel(departure: Departure = 'cancelled'): void {
    this.departure = departure;
    this.#controller.abort();
  }

  async read(): Promise<Buffer | undefined> {
    this.reads++;
    while (this.#toRead.length === 0) {
      await new Promise<void>((resolve) => {
        this.#reader = resolve;
      });
    }
    const item = this.#toRead.shift();
    if (item instanceof Error) throw item;
    return item;
  }

  sendHeaders(metadata: Metadata): void {
    this.#headers.resolve(metadata);
  }

  get headers(): Promise<Metadata> {
    return this.#headers.promise;
  }

  sendMessage(message: Buffer): Promise<void> {
    this.received.push(message);
    return this.taking();
  }

  end(status: Status, trailers: Metadata): void {
    this.#ended.resolve({ status, trailers });
  }

  get ended(): Promise<{ status: Status; trailers: Metadata }> {
    return this.#ended.promise;
  }
}
