import type { Answer } from '../rpc/answer.js';
import type { UnaryRequest } from '../rpc/call.js';
import { type Metadata, NO_METADATA } from '../rpc/metadata.js';
import type { Channel } from './channel.js';
import type { ChannelCallListener } from './channel-call.js';
import type { Connection } from './connection.js';
import type { Line, LineCall, LineState } from './line.js';
import { lostBeforeSent } from './local-status.js';

export interface ChannelLineOptions {
  /** Position in `managers.addrs`. */
  readonly manager: string;
  /** `ip:port`. */
  readonly address: string;
  /** As configured, for messages. */
  readonly name: string;
  ask(line: ChannelLine, request: UnaryRequest): Promise<Answer>;
  becameGood(): void;
}

/** A line over one connection of a channel. Its owner, the slot, says when it is mute and when it is no longer in use. */
export class ChannelLine implements Line {
  readonly manager: string;
  readonly address: string;
  readonly #options: ChannelLineOptions;
  readonly #channel: Channel;
  readonly #connection: Connection;
  readonly #watchers = new Set<() => void>();
  #silentFromMs: number | undefined;
  #answeredFromMs = Number.NEGATIVE_INFINITY;
  #told: LineState;

  constructor(options: ChannelLineOptions, channel: Channel, connection: Connection) {
    this.manager = options.manager;
    this.address = options.address;
    this.#options = options;
    this.#channel = channel;
    this.#connection = connection;
    this.#told = this.state;
    connection.watch(() => this.#tell());
  }

  get state(): LineState {
    if (this.#connection.state === 'gone') return 'gone';
    if (this.#connection.state === 'left') return 'leaving';
    return this.#silentFromMs === undefined ? 'good' : 'mute';
  }

  watch(changed: () => void): () => void {
    // Wrapped, so that a function that is given twice is told twice and taken back one by one.
    const watcher = () => changed();
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  open(path: string, metadata: Metadata, listener: ChannelCallListener): LineCall {
    return this.call(path, metadata, undefined, listener);
  }

  /** As `open`, the manager told of a deadline. */
  call(
    path: string,
    metadata: Metadata,
    deadlineMs: number | undefined,
    listener: ChannelCallListener,
  ): LineCall {
    const { state } = this;
    if (state === 'leaving' || state === 'gone') return lostCall(this.#options.name, listener);
    return this.#channel.call(path, metadata, deadlineMs, listener, this.#connection);
  }

  unary(request: UnaryRequest): Promise<Answer> {
    return this.#options.ask(this, request);
  }

  giveUp(): void {
    this.#connection.destroy();
  }

  /** A probe that was sent at `askedMs` was not answered. */
  fellSilent(askedMs: number): void {
    this.#silentFromMs ??= askedMs;
    this.#tell();
  }

  /** A probe that was sent at `askedMs` was answered. */
  answered(askedMs: number): void {
    this.#answeredFromMs = Math.max(this.#answeredFromMs, askedMs);
    this.#silentFromMs = undefined;
    this.#tell();
  }

  /** Has it answered what was asked after `mute` had fallen silent? Else it may be as silent, and nobody knows yet. */
  hasAnsweredSince(mute: ChannelLine): boolean {
    return mute.#silentFromMs === undefined || this.#answeredFromMs > mute.#silentFromMs;
  }

  #tell(): void {
    const { state } = this;
    if (state === this.#told) return;
    this.#told = state;
    for (const watcher of [...this.#watchers]) watcher();
    if (state === 'gone') this.#watchers.clear();
    if (state === 'good') this.#options.becameGood();
  }
}

/** A call that is over before it began. */
function lostCall(manager: string, listener: ChannelCallListener): LineCall {
  let ended = false;
  const end: ChannelCallListener['status'] = (status, trailers) => {
    if (ended) return;
    ended = true;
    listener.status(status, trailers);
  };
  queueMicrotask(() => end(lostBeforeSent(manager), NO_METADATA));
  return {
    send: () => Promise.resolve(),
    halfClose: () => {},
    requestMessage: () => {},
    cancel: (status) => end(status, NO_METADATA),
  };
}
