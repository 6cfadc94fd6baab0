import type { Clock } from '../../rpc/clock.js';
import type { Metadata } from '../../rpc/metadata.js';
import { Code, codeName } from '../../rpc/status.js';
import type { RawCall } from './raw-server.js';

export type SeenCall = {
  readonly path: string;
  /** The messages received, one after the other, without their frames; the first 64 KiB. */
  readonly requestBytes: Buffer;
  readonly messages: number;
  readonly metadata: Metadata;
  /** When the caller stops waiting, Unix ms; undefined: never. */
  readonly deadlineWallMs: number | undefined;
  /** The caller went away before it had a status. */
  readonly cancelled: boolean;
  /** undefined while the call runs, and when it was cancelled. */
  readonly code: number | undefined;
};

/** What the manager said to a call that brought a message. Times on the manager's clock. */
export type SaidAnswer = {
  readonly path: string;
  /** As `SeenCall.requestBytes`. */
  readonly requestBytes: Buffer;
  readonly code: number;
  /** Of the status. */
  readonly message: string;
  /** undefined: a status alone. */
  readonly answer: Buffer | undefined;
  readonly receivedAtMs: number;
  readonly saidAtMs: number;
};

const MAX_CALLS = 10_000;
const MAX_REQUEST_BYTES = 65_536;

type Growing = { -readonly [K in keyof SeenCall]: SeenCall[K] };

/** One call while it runs. */
export interface Sighting {
  message(bytes: Buffer): void;
  answer(bytes: Buffer): void;
  ended(code: number, message: string): void;
  cancelled(): void;
}

/** The log and the counters of all calls, over restarts. */
export class SeenCalls {
  #calls: Growing[] = [];
  total = 0;
  open = 0;
  cancelledTotal = 0;
  keepAliveStreamsOpen = 0;
  readonly #byMethod = new Map<string, number>();
  readonly #byCode = new Map<string, number>();
  readonly #clock: Clock;
  readonly #witness: ((said: SaidAnswer) => void) | undefined;

  /** `witness` is told of every answer right before its status is sent, and of who did not wait for one, as CANCELLED. */
  constructor(clock: Clock, witness?: (said: SaidAnswer) => void) {
    this.#clock = clock;
    this.#witness = witness;
  }

  begin(call: RawCall, path: string): Sighting {
    const seen: Growing = {
      path,
      requestBytes: Buffer.alloc(0),
      messages: 0,
      metadata: wireMetadata(call),
      deadlineWallMs: deadlineWallMs(call),
      cancelled: false,
      code: undefined,
    };
    this.#calls.push(seen);
    // Cut in halves, so that a long run does not move the whole log with each call.
    if (this.#calls.length >= 2 * MAX_CALLS) this.#calls = this.#calls.slice(-MAX_CALLS);
    this.total += 1;
    this.#byMethod.set(path, (this.#byMethod.get(path) ?? 0) + 1);
    const isKeepAlive = path.endsWith('/KeepAlive');
    this.#open(isKeepAlive, 1);
    const receivedAtMs = this.#clock.nowMs();
    let answer: Buffer | undefined;
    let isOpen = true;
    const end = (code: number | undefined, message: string): void => {
      if (!isOpen) return;
      isOpen = false;
      const told = code ?? Code.CANCELLED;
      if (seen.messages > 0) {
        const { requestBytes } = seen;
        const saidAtMs = this.#clock.nowMs();
        this.#witness?.({ path, requestBytes, code: told, message, answer, receivedAtMs, saidAtMs });
      }
      this.#open(isKeepAlive, -1);
      seen.code = code;
      seen.cancelled = code === undefined;
      if (code === undefined) this.cancelledTotal += 1;
      this.#byCode.set(codeName(told), (this.#byCode.get(codeName(told)) ?? 0) + 1);
    };
    return {
      message(bytes) {
        seen.messages += 1;
        if (seen.requestBytes.length >= MAX_REQUEST_BYTES) return;
        seen.requestBytes = Buffer.concat([seen.requestBytes, bytes]).subarray(0, MAX_REQUEST_BYTES);
      },
      answer(bytes) {
        answer = bytes;
      },
      ended: end,
      cancelled: () => end(undefined, 'cancelled'),
    };
  }

  list(): readonly SeenCall[] {
    return this.#calls.slice(-MAX_CALLS);
  }

  forget(): void {
    this.#calls = [];
  }

  get byMethod(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#byMethod);
  }

  get byCode(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#byCode);
  }

  #open(isKeepAlive: boolean, by: 1 | -1): void {
    this.open += by;
    if (isKeepAlive) this.keepAliveStreamsOpen += by;
  }
}

/** As on the wire, but for what grpc-js keeps to itself: grpc-timeout, te, content-type. */
function wireMetadata(call: RawCall): Metadata {
  const headers = call.metadata.toHttp2Headers();
  const metadata: Record<string, string | string[]> = {};
  for (const [key, value] of Object.entries(headers)) {
    if (value !== undefined) metadata[key] = Array.isArray(value) ? value : String(value);
  }
  return metadata;
}

function deadlineWallMs(call: RawCall): number | undefined {
  const deadline = call.getDeadline();
  const wallMs = deadline instanceof Date ? deadline.getTime() : deadline;
  return Number.isFinite(wallMs) ? wallMs : undefined;
}
