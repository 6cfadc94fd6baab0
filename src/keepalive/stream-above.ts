import type { Clock } from '../rpc/clock.js';
import { type Metadata, NO_METADATA } from '../rpc/metadata.js';
import { Code } from '../rpc/status.js';
import type { Line, LineCall } from '../upstream/line.js';
import type { StreamReply } from './below.js';
import { Gate } from './gate.js';
import type { NodeRecord } from './node.js';

/** A KeepAlive brings one message at most; what is more than that is for nobody. */
const MESSAGES_KEPT = 16;
/** Beats that the connection has not taken yet, bytes. A manager that hangs still takes a thousand. */
const UNSENT_BYTES = 64 * 1024;
/** How long a node is held back that sends faster than the manager takes it. */
const HOLD_MS = 1_000;

/** One stream at a manager, from its first message to its end. */
export class StreamAbove {
  readonly line: Line;
  readonly openedAtMs: number;
  readonly #onEnd: (reply: StreamReply) => void;
  readonly #waiting: Buffer[] = [];
  #call: LineCall | undefined;
  #headers: Metadata = NO_METADATA;
  #messages: Buffer[] = [];
  #unsentBytes = 0;
  #sending = false;
  #halfClosed = false;
  #ended = false;
  readonly #room: Gate;

  /** `onEnd` is told once, never before `open` has returned. */
  constructor(line: Line, clock: Clock, onEnd: (reply: StreamReply) => void) {
    this.line = line;
    this.openedAtMs = clock.nowMs();
    this.#room = new Gate(clock);
    this.#onEnd = onEnd;
  }

  /** The node's first message goes with it. */
  open({ path, first }: NodeRecord, metadata: Metadata): void {
    let opened = false;
    this.#call = this.line.open(path, metadata, {
      headers: (headers) => {
        this.#headers = headers;
      },
      message: (message) => {
        if (this.#messages.length < MESSAGES_KEPT) this.#messages.push(message);
        this.#call?.requestMessage();
      },
      status: (status, trailers) => {
        const reply = { headers: this.#headers, messages: this.#messages, status, trailers };
        if (opened) this.#end(reply);
        else queueMicrotask(() => this.#end(reply));
      },
    });
    opened = true;
    this.#call.requestMessage();
    void this.send(first);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Resolves when more may be sent; at once, as a rule. Never waits longer than a second: a node whose beats nobody reads any more
   * would look silent. What finds no room then is dropped.
   */
  send(message: Buffer): Promise<void> {
    if (this.#ended || this.#halfClosed || this.#unsentBytes > UNSENT_BYTES) return this.#untilRoom();
    this.#waiting.push(message);
    this.#unsentBytes += message.length;
    if (!this.#sending) void this.#sendAll();
    return this.#untilRoom();
  }

  /** Once what was sent before has gone out. */
  halfClose(): void {
    this.#halfClosed = true;
    if (!this.#sending) this.#call?.halfClose();
  }

  /** Without a word of the manager. */
  cancel(message: string): void {
    this.#call?.cancel({ code: Code.UNAVAILABLE, message });
  }

  async #sendAll(): Promise<void> {
    this.#sending = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#call?.send(next);
      this.#unsentBytes -= next.length;
      if (this.#unsentBytes <= UNSENT_BYTES) this.#room.open();
    }
    this.#sending = false;
    if (this.#halfClosed) this.#call?.halfClose();
  }

  #untilRoom(): Promise<void> {
    if (this.#ended || this.#unsentBytes <= UNSENT_BYTES) return DONE;
    return this.#room.wait(HOLD_MS);
  }

  #end(reply: StreamReply): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#room.open();
    this.#onEnd(reply);
  }
}

const DONE = Promise.resolve();
