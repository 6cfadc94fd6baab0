import type { Socket } from 'node:net';

/** `current`: calls of the channel go here. `left`: they do not any more (GOAWAY, or the channel was closed). `gone`: lost; final. */
export type ConnectionState = 'current' | 'left' | 'gone';

/** One connection of a channel, from the moment it is READY until its socket has gone. */
export class Connection {
  readonly #socket: Socket;
  #state: ConnectionState;
  #changed: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#state = socket.destroyed ? 'gone' : 'current';
    socket.once('close', () => this.#set('gone'));
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** There is one watcher: the line. */
  watch(changed: () => void): void {
    this.#changed = changed;
  }

  leave(): void {
    if (this.#state === 'current') this.#set('left');
  }

  /** Without a word to the peer: its calls end UNAVAILABLE. */
  destroy(): void {
    this.#socket.destroy();
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    this.#changed();
  }
}
