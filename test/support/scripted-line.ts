import type { Metadata } from '../../src/rpc/metadata.js';
import { Code, type Status } from '../../src/rpc/status.js';
import type { ChannelCallListener } from '../../src/upstream/channel-call.js';
import type { Line, LineCall, LineState } from '../../src/upstream/line.js';

/** A stream that was opened at the manager, and the means to do with it what the test likes. */
export interface OpenedStream {
  readonly line: ScriptedLine;
  readonly path: string;
  readonly metadata: Metadata;
  readonly messages: Buffer[];
  halfClosed: boolean;
  ended: boolean;
  headers(metadata: Metadata): void;
  say(message: Buffer): void;
  end(status?: Status, trailers?: Metadata): void;
}

/** One connection to a manager, in the test's hand. */
export class ScriptedLine implements Line {
  readonly manager = '0';
  readonly address: string;
  readonly streams: OpenedStream[];
  givenUp = false;
  /** The manager confirms a half-close at once. */
  confirms = true;
  /** It has answered since others are mute; if not, it may only not have been asked yet. */
  answers = true;
  #state: LineState = 'good';
  readonly #watchers = new Set<() => void>();
  readonly #changed: () => void;

  constructor(address: string, streams: OpenedStream[], changed: () => void) {
    this.address = address;
    this.streams = streams;
    this.#changed = changed;
  }

  get state(): LineState {
    return this.#state;
  }

  set state(state: LineState) {
    this.#state = state;
    for (const watcher of [...this.#watchers]) watcher();
    this.#changed();
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => void this.#watchers.delete(changed);
  }

  open(path: string, metadata: Metadata, listener: ChannelCallListener): LineCall {
    const stream: OpenedStream = {
      line: this,
      path,
      metadata,
      messages: [],
      halfClosed: false,
      ended: false,
      headers: (headers) => listener.headers(headers),
      say: (message) => listener.message(message),
      end(status = { code: Code.OK, message: '' }, trailers = {}) {
        if (stream.ended) return;
        stream.ended = true;
        listener.status(status, trailers);
      },
    };
    this.streams.push(stream);
    return {
      send: (message) => {
        stream.messages.push(message);
        return Promise.resolve();
      },
      halfClose: () => {
        stream.halfClosed = true;
        if (this.confirms) queueMicrotask(() => stream.end());
      },
      requestMessage: () => undefined,
      cancel: (status) => stream.end(status),
    };
  }

  unary(): Promise<never> {
    throw new Error('not scripted');
  }

  /** Everything on it ends, as when a connection is torn down. */
  giveUp(): void {
    this.givenUp = true;
    this.lose();
  }

  lose(): void {
    for (const stream of this.streams.filter(({ line }) => line === this)) {
      stream.end({ code: Code.UNAVAILABLE, message: 'the connection was lost' });
    }
    this.state = 'gone';
  }
}

/** The lines of an upstream: the first good one is the best. */
export class ScriptedLines {
  /** Of all lines, in the order in which they were opened. */
  readonly streams: OpenedStream[] = [];
  readonly #lines: ScriptedLine[] = [];
  readonly #watchers = new Set<() => void>();

  add(address = `127.0.0.1:${this.#lines.length + 1}`): ScriptedLine {
    const line = new ScriptedLine(address, this.streams, () => this.#tell());
    this.#lines.push(line);
    this.#tell();
    return line;
  }

  line(not?: Line): Line | undefined {
    const good = this.#lines.filter(
      (line) => line.state === 'good' && (not?.state !== 'mute' || line.answers),
    );
    return good.find((line) => line !== not) ?? good[0];
  }

  watchLines(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => void this.#watchers.delete(changed);
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  describeTrouble(): string | undefined {
    return this.line() === undefined ? 'no manager answers' : undefined;
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
