import type { NodeEndReason, ReopenReason } from '../observe/events.js';
import type { Call } from '../rpc/call.js';
import type { Metadata } from '../rpc/metadata.js';
import { Code } from '../rpc/status.js';
import type { Line } from '../upstream/line.js';
import type { StreamReply } from './below.js';
import type { OpenReason, SessionContext } from './context.js';
import { Ending, type Next } from './ending.js';
import { Faults } from './faults.js';
import { Gate } from './gate.js';
import type { NodeRecord } from './node.js';
import type { NodeState } from './node-view.js';
import { Registering } from './registering.js';
import { Seeking, type Sought } from './seeking.js';
import { StreamAbove } from './stream-above.js';
import { StreamHistory } from './stream-history.js';

type State =
  | { readonly kind: 'dormant' | 'elsewhere' }
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: 'open'; readonly stream: StreamAbove; readonly replacing: Replacing | undefined }
  | { readonly kind: 'ending'; readonly ending: Ending };

interface Replacing {
  readonly reason: ReopenReason;
  readonly seeking: Seeking;
}

export interface HoldingOptions {
  readonly context: SessionContext;
  /** What the next stream is opened with. */
  record(): NodeRecord;
  metadata(): Metadata;
  opened(): void;
  /** The manager has ended it with an answer that is the node's to hear. */
  answered(reply: StreamReply): void;
  /** Nothing is held, sought or being ended any more. */
  rested(): void;
}

const DONE = Promise.resolve();

/** The node's one stream at the manager: opened, kept, replaced, ended; never two at a time. */
export class Holding {
  readonly #options: HoldingOptions;
  readonly #context: SessionContext;
  readonly #faults: Faults;
  readonly history: StreamHistory;
  #state: State = { kind: 'dormant' };
  readonly #decided: Gate;
  #unwatch: () => void = () => undefined;
  /** What ended the last stream, if nobody here did. */
  #trouble = '';

  constructor(options: HoldingOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#faults = new Faults(options.context);
    this.#decided = new Gate(options.context.clock);
    this.history = new StreamHistory(options.context, options.record().node.kind);
  }

  get state(): NodeState {
    const state = this.#state;
    return state.kind === 'ending' ? state.ending.state : state.kind;
  }

  /** Nothing is held, sought or being ended. */
  get resting(): boolean {
    return this.#state.kind === 'dormant' || this.#state.kind === 'elsewhere';
  }

  get stream(): StreamAbove | undefined {
    return this.#state.kind === 'open' ? this.#state.stream : undefined;
  }

  /** There is to be a stream. */
  want(reason: OpenReason, who: Sought['who'] = 'new'): void {
    const state = this.#state;
    if (this.resting) this.#seek(reason, { who });
    if (state.kind !== 'ending' || state.ending.next.kind === 'reopen') return;
    state.ending.follow({ kind: 'reopen', reason, line: undefined });
  }

  /** The replica that had it holds it no more. */
  freed(): void {
    if (this.#state.kind === 'elsewhere') this.#rest('dormant');
  }

  /** There is to be none. Resolves with what the manager said to its end; undefined: there was nothing to end. */
  end(reason: NodeEndReason, at: 'dormant' | 'elsewhere' = 'dormant'): Promise<StreamReply | undefined> {
    const state = this.#state;
    const wasHeld = state.kind === 'open' || state.kind === 'waiting' || this.state === 'replacing';
    if (wasHeld) this.history.over(reason);
    switch (state.kind) {
      case 'dormant':
      case 'elsewhere':
        this.#rest(state.kind === 'elsewhere' ? state.kind : at);
        return Promise.resolve(undefined);
      case 'waiting':
        state.cancel();
        this.#rest(at);
        return Promise.resolve(undefined);
      case 'open':
        state.replacing?.seeking.cancel();
        return this.#halfClose(state.stream, { kind: at }).reply;
      case 'ending':
        // Yielded, it stays so.
        if (state.ending.next.kind !== 'elsewhere') state.ending.follow({ kind: at });
        return state.ending.reply;
      default:
        return state satisfies never;
    }
  }

  /** Another stream in place of this one when a good line is there, and never before the end of this one is confirmed. */
  replace(reason: ReopenReason): void {
    const state = this.#state;
    if (state.kind !== 'open' || state.replacing !== undefined) return;
    const { stream } = state;
    const not = reason === 'leaving' || reason === 'mute' ? stream.line : undefined;
    const sought: Sought = { claim: undefined, who: 'replaced', delayMs: 0, not };
    const seeking = new Seeking(this.#context, sought, (line) => {
      this.#halfClose(stream, { kind: 'reopen', reason, line });
    });
    this.#state = { kind: 'open', stream, replacing: { reason, seeking } };
    seeking.start();
  }

  /** While a stream is being opened: resolves when it is, or is not to be, or not yet after `limitMs`. */
  decided(limitMs: number, call?: Pick<Call, 'signal'>): Promise<void> {
    return this.#state.kind === 'waiting' ? this.#decided.wait(limitMs, call?.signal) : DONE;
  }

  /** A message of the node; resolves when the next one may come. Dropped while there is no stream: nothing is made up for later. */
  send(message: Buffer): Promise<void> {
    return this.stream?.send(message) ?? DONE;
  }

  #seek(reason: OpenReason, how: Pick<Sought, 'who' | 'not'> & { readonly delayMs?: number }): void {
    const sought = { claim: this.#options.record(), delayMs: 0, ...how };
    const seeking = new Seeking(this.#context, sought, (line) => this.#open(line, reason));
    this.#state = { kind: 'waiting', cancel: () => seeking.cancel() };
    seeking.start();
  }

  #open(line: Line, reason: OpenReason): void {
    const stream = new StreamAbove(line, this.#context.clock, (reply) => this.#ended(stream, reply));
    this.#state = { kind: 'open', stream, replacing: undefined };
    this.#unwatch = line.watch(() => this.#lineChanged(stream));
    stream.open(this.#options.record(), this.#options.metadata());
    this.history.opened(line.manager, reason, this.#trouble);
    this.#trouble = '';
    this.#decided.open();
    this.#options.opened();
  }

  #lineChanged(stream: StreamAbove): void {
    const { state: line } = stream.line;
    if (line === 'gone') stream.cancel('manager-gateway: the connection to the manager was lost');
    const state = this.#state;
    if (state.kind !== 'open' || state.stream !== stream) return;
    if (line === 'leaving' || line === 'mute') this.replace(line);
    if (line !== 'good' || state.replacing?.reason !== 'mute') return;
    // It speaks again: there is nothing to move away from.
    state.replacing.seeking.cancel();
    this.#state = { kind: 'open', stream, replacing: undefined };
  }

  #halfClose(stream: StreamAbove, next: Next): Ending {
    const ending = new Ending(this.#context, stream, next);
    this.#state = { kind: 'ending', ending };
    ending.start();
    return ending;
  }

  #ended(stream: StreamAbove, reply: StreamReply): void {
    const state = this.#state;
    const held = state.kind === 'open' ? state : state.kind === 'ending' ? state.ending : undefined;
    if (held?.stream !== stream) return;
    this.#unwatch();
    this.history.ended();
    if (state.kind === 'open') {
      state.replacing?.seeking.cancel();
      this.#mend(stream, reply);
    }
    if (state.kind !== 'ending') return;
    state.ending.over(reply);
    this.#follow(state.ending.next, stream.line, reply);
  }

  #follow(next: Next, before: Line, { status }: StreamReply): void {
    if (next.kind !== 'reopen') {
      this.#rest(next.kind);
      return;
    }
    // Streams hear of the end of their connection before it says that it has gone.
    const isLost = next.line === before && status.code === Code.UNAVAILABLE;
    if (next.line?.state === 'good' && !isLost) this.#open(next.line, next.reason);
    else this.#seek(next.reason, { who: isLost ? 'returning' : 'replaced', not: before });
  }

  /** The manager, or the way to it, has ended a stream that nobody here wanted to end. */
  #mend(stream: StreamAbove, reply: StreamReply): void {
    const remedy = this.#faults.judge(reply.status, this.#context.clock.nowMs() - stream.openedAtMs);
    switch (remedy.kind) {
      case 'answer':
        this.#answer(reply);
        break;
      case 'register':
        this.#register(reply);
        break;
      case 'reopen': {
        const { reason, delayMs, pressed } = remedy;
        this.#trouble = reply.status.message;
        if (pressed) this.#context.pace.lower();
        this.#seek(reason, { who: 'returning', delayMs, not: stream.line });
        break;
      }
      default:
        remedy satisfies never;
    }
  }

  #answer(reply: StreamReply): void {
    this.history.over('answered', reply.status.message);
    this.#options.answered(reply);
    this.#rest('dormant');
  }

  /** Once its registration has been made up for, the node need not hear of it. */
  #register(reply: StreamReply): void {
    const registering = new Registering(this.#context, this.#faults, (registered) => {
      if (registered.kind === 'answer') this.#answer(reply);
      else this.#seek('registered', { who: 'replaced', delayMs: registered.delayMs });
    });
    this.#state = { kind: 'waiting', cancel: () => registering.cancel() };
    void registering.start(this.#options.record().node);
  }

  #rest(at: 'dormant' | 'elsewhere'): void {
    this.#state = { kind: at };
    this.#decided.open();
    this.#options.rested();
  }
}
