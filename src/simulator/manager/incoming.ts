import { OK_STATUS, type Status } from '../../rpc/status.js';
import type { RawCall } from './raw-server.js';
import type { Sighting } from './seen-calls.js';

/** One call of grpc-js's server, as something to await: messages in, messages out, one status. */
export class Incoming {
  readonly path: string;
  readonly #call: RawCall;
  readonly #sighting: Sighting;
  readonly #gone = new AbortController();
  readonly #queue: Buffer[] = [];
  #isHalfClosed = false;
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(call: RawCall, sighting: Sighting) {
    this.path = call.getPath();
    this.#call = call;
    this.#sighting = sighting;
    call.on('data', (message: Buffer) => {
      sighting.message(message);
      this.#queue.push(message);
      this.#wake?.();
    });
    // A cancelled stream ends, too, and only then closes, a few ticks later: a half-close is what stays open.
    call.on('end', () => {
      setImmediate(() => setImmediate(() => this.#halfClose()));
    });
    // 'cancelled' covers the caller's cancel, a broken connection and a passed deadline.
    call.on('cancelled', () => this.#leave());
    call.on('close', () => this.#leave());
  }

  /** Aborted when nobody waits for the answer any more. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** The next message; undefined: half-closed, or cut off, which `signal` tells. */
  async read(): Promise<Buffer | undefined> {
    while (this.#queue.length === 0 && !this.#isHalfClosed && !this.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.signal.aborted ? undefined : this.#queue.shift();
  }

  send(message: Buffer): void {
    if (this.signal.aborted || this.#isEnded) return;
    this.#sighting.answer(message);
    this.#call.write(message);
  }

  end(status: Status = OK_STATUS): void {
    if (this.signal.aborted || this.#isEnded) return;
    this.#isEnded = true;
    this.#sighting.ended(status.code, status.message);
    // For a stream, this is grpc-js's way to end it with a status, OK included: its `end()` says "OK" in words,
    // a real manager says nothing.
    this.#call.emit('error', { code: status.code, details: status.message });
  }

  #halfClose(): void {
    this.#isHalfClosed = true;
    this.#wake?.();
  }

  #leave(): void {
    if (!this.#isEnded) this.#sighting.cancelled();
    this.#gone.abort();
    this.#wake?.();
  }
}
