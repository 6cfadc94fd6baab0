import type { Call, Reply } from '../rpc/call.js';
import { NO_METADATA } from '../rpc/metadata.js';
import { Code, type Status } from '../rpc/status.js';
import { Beats } from './beats.js';

/** What a stream's end brought: everything that the manager said, in order. */
export type StreamReply = Omit<Reply, 'message'> & { readonly messages: readonly Buffer[] };

/** What the manager says to a half-close: no message, no word. */
export const OK_WITHOUT_A_MESSAGE: StreamReply = {
  headers: NO_METADATA,
  messages: [],
  status: { code: Code.OK, message: '' },
  trailers: NO_METADATA,
};

/** A reply in the gateway's own name. */
export function saying(status: Status): StreamReply {
  return { ...OK_WITHOUT_A_MESSAGE, status };
}

/** One stream of a node at this gateway. */
export class Below {
  readonly call: Call;
  readonly beats: Beats;
  /** Resolves with the code it ended with; rejects with what was wrong with its input. */
  readonly done: Promise<number>;
  #settle: { resolve(code: number): void; reject(error: unknown): void } | undefined;

  constructor(call: Call, nowMs: number) {
    this.call = call;
    this.beats = new Beats(nowMs);
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  get ended(): boolean {
    return this.#settle === undefined;
  }

  /** Tells the caller. Once; later ones are nobody's. */
  end({ headers, messages, status, trailers }: StreamReply): void {
    const settle = this.#take();
    if (settle === undefined) return;
    if (messages.length > 0 || Object.keys(headers).length > 0) this.call.sendHeaders(headers);
    for (const message of messages) void this.call.sendMessage(message);
    this.call.end(status, trailers);
    settle.resolve(status.code);
  }

  /** The caller has gone. */
  gone(code: number): void {
    this.#take()?.resolve(code);
  }

  /** What it sent is no gRPC, or over a limit; or something went wrong here. Whoever serves the call ends it. */
  fail(error: unknown): void {
    this.#take()?.reject(error);
  }

  #take(): { resolve(code: number): void; reject(error: unknown): void } | undefined {
    const settle = this.#settle;
    this.#settle = undefined;
    return settle;
  }
}
