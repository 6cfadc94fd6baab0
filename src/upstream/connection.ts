import type { Socket } from 'node:net';
import type { Clock, Timer } from '../rpc/clock.js';
import type { ChannelCall } from './channel-call.js';

/** `current`: calls of the channel go here. `left`: they do not any more (GOAWAY, or the channel was closed). `gone`: lost; final. */
export type ConnectionState = 'current' | 'left' | 'gone';

/** How long a peer may take to close its side of a connection that carries nothing any more. */
export const LINGER_MS = 1_000;

/** One connection of a channel, from the moment it is READY until its socket has gone. */
export class Connection {
  readonly #socket: Socket;
  readonly #clock: Clock;
  /** Since it was left: the calls that may still be on it. */
  #remaining: Set<ChannelCall> | undefined;
  #lingering: Timer | undefined;
  #changed: () => void = () => {};

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.once('close', () => {
      this.#lingering?.cancel();
      this.#changed();
    });
  }

  get state(): ConnectionState {
    if (this.#socket.destroyed) return 'gone';
    return this.#remaining ? 'left' : 'current';
  }

  get bytesReceived(): number {
    return this.#socket.bytesRead;
  }

  /** There is one watcher: the line. */
  watch(changed: () => void): void {
    this.#changed = changed;
  }

  /** No new calls from now on. `calls`: all that may be on it. */
  leave(calls: Iterable<ChannelCall>): void {
    this.#remaining = new Set(calls);
    this.#lingerWhenIdle();
    this.#changed();
  }

  callEnded(call: ChannelCall): void {
    if (this.#remaining?.delete(call)) this.#lingerWhenIdle();
  }

  /** Without a word to the peer: its calls end UNAVAILABLE. */
  destroy(): void {
    this.#socket.destroy();
  }

  #lingerWhenIdle(): void {
    if (this.#remaining?.size !== 0 || this.#socket.destroyed) return;
    this.#lingering = this.#clock.setTimer(LINGER_MS, () => this.destroy());
  }
}
