import type { ServerHttp2Stream } from 'node:http2';
import { GatewayError, statusOfError } from '../errors.js';
import type { BadInputReason } from '../observe/events.js';
import type { ByteBudget } from '../rpc/byte-budget.js';
import type { Departure } from '../rpc/call.js';
import type { Client } from '../rpc/client.js';
import { NO_METADATA } from '../rpc/metadata.js';
import { createSlots, type Slots } from '../rpc/slots.js';
import type { Admitted } from './admission.js';
import type { Deadlines } from './deadlines.js';
import { EarlyCall, type EarlyCallOwner } from './early-call.js';
import type { DownstreamOptions } from './engine.js';
import { Http2Call } from './http2-call.js';
import type { Report } from './response-headers.js';

export interface CallsOptions {
  readonly downstream: DownstreamOptions;
  readonly deadlines: Deadlines;
  readonly budget: ByteBudget;
  /** Who makes them, by his certificate. */
  readonly client: Client | undefined;
  /** Asked in the event in which a call's stream ends: by what it tells of the connection below. */
  readonly departureNow: () => Departure;
  /** Why the manager may not be bothered for this connection now. */
  readonly mayAsk: () => GatewayError | undefined;
  /** A call has gone; `cancelled`: taken back by its caller. */
  readonly onClose: (cancelled: boolean) => void;
}

/** What the manager is asked for one connection at the same time: its answers come in bulk, and each is work of the thread. */
const ASKING_AT_ONCE = 1;
/** A manager that takes longer is asked for the next one, too. */
const ASKING_MS = 5;

/** The calls of one connection, from their admission to the end of their streams. */
export class Calls {
  /** Tells of what is nobody's fault but ours. */
  readonly report: Report;
  readonly #options: CallsOptions;
  readonly #open = new Set<Http2Call | EarlyCall>();
  #messageBytes = 0;
  #asking: Slots | undefined;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.report = (error) => options.downstream.emit({ kind: 'internal-error', where: 'downstream', error });
  }

  get open(): number {
    return this.#open.size;
  }

  /** Received, ever, by calls that others than memory had to answer. */
  get messageBytes(): number {
    return this.#messageBytes;
  }

  begin(stream: ServerHttp2Stream, admitted: Admitted): void {
    const { atOnce, clock } = this.#options.downstream;
    const { path, metadata, timeoutMs } = admitted;
    const deadlineMs = timeoutMs === undefined ? undefined : clock.nowMs() + timeoutMs;
    // A request without a byte that had to wait has ended before anybody listened, and nobody is told of it again.
    if (stream.readableEnded || atOnce?.accepts(path, metadata) !== true) {
      this.#beginHttp2Call(stream, admitted, deadlineMs, undefined);
      return;
    }
    this.#add(new EarlyCall({ stream, admitted, deadlineMs, owner: this.#early }));
  }

  /** Ends every call that is still open, with a status that makes clients come back. Returns how many there were. */
  end(error: GatewayError): number {
    let ended = 0;
    for (const call of [...this.#open]) {
      if (call.finished) continue;
      call.abort(error);
      ended++;
    }
    return ended;
  }

  readonly #early: EarlyCallOwner = {
    answer: ({ path, metadata }, message) => {
      try {
        return this.#options.downstream.atOnce?.answer(path, metadata, message);
      } catch (error) {
        this.report(error);
        return undefined;
      }
    },
    begin: (call, received) => {
      this.#delete(call);
      return this.#beginHttp2Call(call.stream, call.admitted, call.deadlineMs, received);
    },
    closed: (call, answered) => this.#closed(call, !answered && this.#options.departureNow() === 'cancelled'),
    report: (error) => this.report(error),
  };

  #beginHttp2Call(
    stream: ServerHttp2Stream,
    { path, metadata, encoding }: Admitted,
    deadlineMs: number | undefined,
    received: readonly Buffer[] | undefined,
  ): Http2Call {
    const { downstream, budget, client, departureNow, mayAsk } = this.#options;
    const call = new Http2Call({
      stream,
      received,
      path,
      metadata,
      encoding,
      deadlineMs,
      budget,
      client,
      departureNow,
      mayAsk,
      slots: this.#slots,
      clock: downstream.clock,
      maxMessageBytes: downstream.maxMessageBytesFor?.(path) ?? downstream.limits.maxMessageBytes,
      onBytes: this.#onBytes,
      onBadInput: this.#onBadInput,
      onOverBudget: this.#onOverBudget,
      onInternalError: this.report,
      onClose: this.#onHttp2CallClose,
    });
    this.#add(call);
    void this.#handle(call);
    return call;
  }

  async #handle(call: Http2Call): Promise<void> {
    try {
      await this.#options.downstream.handler(call);
      if (!call.finished) throw new Error(`the handler of ${call.path} left the call open`);
    } catch (error) {
      if (!(error instanceof GatewayError)) this.report(error);
      call.end(statusOfError(error), NO_METADATA);
    }
  }

  #add(call: Http2Call | EarlyCall): void {
    this.#open.add(call);
    this.#options.deadlines.add(call);
  }

  #delete(call: Http2Call | EarlyCall): void {
    this.#options.deadlines.delete(call);
    this.#open.delete(call);
  }

  #closed(call: Http2Call | EarlyCall, cancelled: boolean): void {
    this.#delete(call);
    this.#options.onClose(cancelled);
  }

  /** Made for who asks: of ten thousand connections few ever do. */
  readonly #slots = (): Slots => {
    this.#asking ??= createSlots(ASKING_AT_ONCE, ASKING_MS, this.#options.downstream.clock);
    return this.#asking;
  };

  readonly #onHttp2CallClose = (call: Http2Call): void => this.#closed(call, call.departure === 'cancelled');

  readonly #onBytes = (bytes: number): void => {
    this.#messageBytes += bytes;
  };

  readonly #onBadInput = (error: GatewayError): void =>
    this.#options.downstream.emit({ kind: 'bad-input', reason: reasonOf(error), detail: error.message });

  readonly #onOverBudget = (detail: string): void =>
    this.#options.downstream.emit({ kind: 'limit-reached', limit: 'bytes-in-flight', detail });
}

function reasonOf(error: GatewayError): BadInputReason {
  switch (error.code) {
    case 'message-too-large':
      return 'message-too-large';
    case 'unsupported-encoding':
      return 'encoding';
    default:
      return 'frame';
  }
}
