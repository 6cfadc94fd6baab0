import type { ErrorClass, ReopenReason } from '../observe/events.js';
import { Code, type Status } from '../rpc/status.js';

/** What is to be done about the end of a stream that nobody here wanted to end. */
export type Remedy =
  /** It is the node's to hear. */
  | { readonly kind: 'answer' }
  /** The manager has no row of the node. */
  | { readonly kind: 'register' }
  | {
      readonly kind: 'reopen';
      readonly reason: Extract<ReopenReason, 'link-broken' | 'manager-error'>;
      readonly delayMs: number;
      /** The manager asks for less. */
      readonly pressed: boolean;
    };

/** Measured on v2.1.55 and v2.5.1: what the first message of a stream gets where there is no row. */
const NOT_KNOWN = /record not found/i;
/** A manager that takes a registration and still does not know the node is asked no more than this in a row. */
const MOST_REGISTRATIONS = 3;
/** Until a manager that has just come back has been found to be the known one; asking costs nothing before. */
const LATER_WAIT_MS = 200;
const LATER_IN_HASTE = 15;

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;
/** What waits for a connection waits for its dialling anyway, and is to be there soon after a link that flapped. */
const LONGEST_WAIT_FOR_LINK_MS = 500;
/** A stream that lived so long was good; the next one is opened at once. */
const HELD_MS = 5_000;
/** The loss of a connection says less about the manager than its own words. */
const CONNECTED_MS = 500;

/** What went wrong with the streams of one node, one after the other, and what to do about it. */
export class Faults {
  readonly #classify: (status: Status) => ErrorClass | undefined;
  readonly #random: () => number;
  #inARow = 0;
  #registrations = 0;
  #laters = 0;

  constructor(options: {
    readonly classify: (status: Status) => ErrorClass | undefined;
    /** 0 ≤ x < 1. */
    readonly random: () => number;
  }) {
    this.#classify = options.classify;
    this.#random = options.random;
  }

  judge(status: Status, livedMs: number): Remedy {
    const errorClass = this.#classify(status);
    switch (errorClass) {
      case undefined:
        return this.#fact(status, livedMs);
      case 'permanent':
      case 'internal':
        return { kind: 'answer' };
      case 'backpressure':
      case 'transient':
        return this.#passes(status, livedMs, errorClass === 'backpressure');
      default:
        return errorClass satisfies never;
    }
  }

  /** How long to wait before something that has just failed is tried again, ms: longer each time. */
  nextWaitMs(limitMs = LONGEST_WAIT_MS): number {
    const longestMs = Math.min(FIRST_WAIT_MS * 2 ** this.#inARow, limitMs);
    this.#inARow++;
    return longestMs * (0.5 + 0.5 * this.#random());
  }

  /**
   * The node's registration can not be made up for now; the manager has been asked for nothing. `ask`: try that again; `open`: try the
   * stream first, as somebody else may have registered the node.
   */
  postponed(): { readonly next: 'ask' | 'open'; readonly delayMs: number } {
    this.#laters++;
    if (this.#laters <= LATER_IN_HASTE)
      return { next: 'ask', delayMs: LATER_WAIT_MS * (0.5 + 0.5 * this.#random()) };
    this.#registrations = 0;
    return { next: 'open', delayMs: this.nextWaitMs() };
  }

  #fact(status: Status, livedMs: number): Remedy {
    if (status.code === Code.OK || !NOT_KNOWN.test(status.message)) return { kind: 'answer' };
    if (livedMs >= HELD_MS) {
      this.#registrations = 0;
      this.#laters = 0;
    }
    this.#registrations++;
    if (this.#registrations <= MOST_REGISTRATIONS) return { kind: 'register' };
    this.#registrations = 0;
    return { kind: 'answer' };
  }

  #passes(status: Status, livedMs: number, pressed: boolean): Remedy {
    const lost = status.code === Code.UNAVAILABLE;
    const reason = lost ? 'link-broken' : 'manager-error';
    const wasGood = livedMs >= (lost ? CONNECTED_MS : HELD_MS);
    if (wasGood) this.#inARow = 0;
    const delayMs =
      wasGood && !pressed ? 0 : this.nextWaitMs(lost ? LONGEST_WAIT_FOR_LINK_MS : LONGEST_WAIT_MS);
    return { kind: 'reopen', reason, delayMs, pressed };
  }
}
