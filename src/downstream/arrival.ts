import type { Socket } from 'node:net';
import type { GatewayError } from '../errors.js';
import type { ConnectionCloseReason } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { Drainable } from './draining.js';
import type { Turns } from './turns.js';

/** What a client says before anything else (RFC 9113 §3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const NOTHING = Buffer.alloc(0);

export interface ArrivalOptions {
  readonly socket: Socket;
  /** How long it may take to say what it speaks. */
  readonly timeoutMs: number;
  readonly turns: Turns;
  readonly clock: Clock;
  /** May a session be made in this turn of the event loop? Asked once. */
  readonly mayOpenNow: () => boolean;
  /** It speaks HTTP/2, or something else that a session is to refuse: what it has said can still be read from the socket. */
  readonly onSpoke: () => void;
  /** It has gone before it said anything. */
  readonly onClose: (reason: ConnectionCloseReason) => void;
}

/**
 * A connection that has not said yet what it speaks. Thousands that never do cost a socket each, and no session of HTTP/2: to
 * make one and to take it down takes longer than to answer ten calls, and leaves a lot to collect.
 */
export class Arrival implements Drainable {
  readonly openCalls = 0;
  readonly #options: ArrivalOptions;
  readonly #timer: Timer;
  #said: Buffer = NOTHING;
  #spoke = false;
  #closeReason: ConnectionCloseReason = 'client';

  constructor(options: ArrivalOptions) {
    this.#options = options;
    const { socket, timeoutMs, turns, clock } = options;
    // In turn: two thousand that came together are over their time together, too.
    this.#timer = clock.setTimer(timeoutMs, () => turns.wait({ work: () => this.#late() }));
    socket.on('readable', this.#onReadable);
    socket.once('close', this.#onClose);
  }

  /** There is nobody yet to whom GOAWAY could be said. */
  drain(): void {
    this.destroy('drain');
  }

  endCalls(_error: GatewayError): number {
    return 0;
  }

  destroy(reason: ConnectionCloseReason): void {
    this.#closeReason = reason;
    this.#options.socket.destroy();
  }

  #late(): false {
    if (!this.#spoke) this.destroy('first-frame');
    return false;
  }

  readonly #onReadable = (): void => {
    const { socket, turns, mayOpenNow } = this.#options;
    const chunk = socket.read() as Buffer | null;
    // The end, after which the socket closes by itself.
    if (chunk === null) return;
    this.#said = this.#said.length === 0 ? chunk : Buffer.concat([this.#said, chunk]);
    if (isBeginning(this.#said)) return;
    this.#spoke = true;
    this.#timer.cancel();
    socket.off('readable', this.#onReadable);
    socket.unshift(this.#said);
    if (mayOpenNow()) this.#open();
    else turns.wait({ work: () => this.#open() });
  };

  #open(): false {
    const { socket, onSpoke } = this.#options;
    if (socket.destroyed) return false;
    socket.off('close', this.#onClose);
    onSpoke();
    return false;
  }

  readonly #onClose = (): void => {
    this.#timer.cancel();
    this.#options.onClose(this.#closeReason);
  };
}

/** Could it still become a preface, and is none yet? */
function isBeginning(said: Buffer): boolean {
  return said.length < PREFACE.length && PREFACE.subarray(0, said.length).equals(said);
}
