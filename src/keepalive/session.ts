import { codeOf } from '../errors.js';
import type { NodeEndReason } from '../observe/events.js';
import type { Call } from '../rpc/call.js';
import { forwardedMetadata, type Metadata, NO_METADATA } from '../rpc/metadata.js';
import { Code } from '../rpc/status.js';
import { Below, OK_WITHOUT_A_MESSAGE, type StreamReply, saying } from './below.js';
import type { HeldNode, OpenReason, SessionContext } from './context.js';
import { Holding } from './holding.js';
import { type NodeRecord, nodeKeyOf } from './node.js';
import type { NodeState, NodeView } from './node-view.js';
import type { KeptNode } from './nodes-format.js';
import { Presence } from './presence.js';

/** How long a node's first stream is given to open before more of what it sends is read, and dropped. */
const OPENING_MS = 1_000;

/** So long a connection is waited for to say of a node that it has left. */
const BURIAL_MS = 5 * 60_000;

const HELD: ReadonlySet<NodeState> = new Set(['waiting', 'open', 'replacing']);

/** One node: its streams here, and its one stream at the manager. */
export class Session implements HeldNode {
  readonly key: string;
  readonly #context: SessionContext;
  readonly #over: (session: Session) => void;
  readonly #presence: Presence;
  readonly #holding: Holding;
  #record: NodeRecord;
  #metadata: Metadata = NO_METADATA;
  #hasLeft: boolean | undefined;

  /** `over`: nobody is there, and nothing is held; the session is not to be used any more. */
  constructor(context: SessionContext, record: NodeRecord, over: (session: Session) => void) {
    this.key = nodeKeyOf(record.node);
    this.#context = context;
    this.#record = record;
    this.#over = over;
    this.#presence = new Presence({
      graceMs: context.graceMs,
      intervalMs: record.intervalMs,
      clock: context.clock,
      awoke: () => this.#awoke(),
      fellSilent: () => void this.#holding.end('silent'),
      lost: () => void this.#holding.end('lost'),
    });
    this.#holding = new Holding({
      context,
      record: () => this.record,
      metadata: () => this.#metadata,
      opened: () => context.reconcile.opened(this),
      answered: (reply) => this.#answered(reply),
      rested: () => this.#check(),
    });
  }

  get record(): NodeRecord {
    return { ...this.#record, intervalMs: this.#presence.intervalMs };
  }

  get alive(): boolean {
    return this.#presence.alive;
  }

  /** Was its last stream ended by the node itself? undefined: none has been here. */
  get hasLeft(): boolean | undefined {
    return this.#hasLeft;
  }

  get state(): NodeState {
    return this.#holding.state;
  }

  get line(): HeldNode['line'] {
    return this.#holding.stream?.line;
  }

  get openedAtMs(): number | undefined {
    return this.#holding.stream?.openedAtMs;
  }

  /** undefined: it was not heard here, or is not to be active any more. */
  get kept(): KeptNode | undefined {
    const { lastBeatAtMs } = this.#presence;
    const held = HELD.has(this.#holding.state) && this.alive;
    return held && lastBeatAtMs !== undefined ? { record: this.record, lastBeatAtMs } : undefined;
  }

  get view(): NodeView {
    const { stream } = this.#holding;
    const upstream = stream && {
      manager: stream.line.manager,
      address: stream.line.address,
      openedAtMs: stream.openedAtMs,
    };
    return {
      key: this.key,
      node: this.#record.node,
      state: this.#holding.state,
      alive: this.alive,
      streamsBelow: this.#presence.count,
      lastBeatAtMs: this.#presence.lastBeatAtMs,
      intervalMs: this.#presence.intervalMs,
      upstream,
      reopenings: this.#holding.history.reopenings,
      lastReopened: this.#holding.history.lastReopened,
      holder: this.#context.claims.holderOf(this.key),
    };
  }

  /** One more stream of the node, whose first message was read. Resolves with the code it ended with. */
  attach(call: Call, first: Buffer): Promise<number> {
    const stream = new Below(call, this.#context.clock.nowMs());
    const reason = this.#reasonToOpen();
    this.#record = { ...this.#record, path: call.path, first };
    this.#metadata = forwardedMetadata(call.metadata);
    this.#presence.attach(stream);
    this.#hasLeft = false;
    void this.#holding.send(first);
    this.#holding.want(reason);
    void this.#read(stream);
    return stream.done;
  }

  /** Its replica has gone: keep it active, and give it its grace, and so much more, to come. */
  takeOver(moreMs: number): void {
    if (!this.alive) this.#presence.expect(moreMs);
    this.#holding.want('taken-over', 'replaced');
  }

  /** Nobody holds it any more. */
  freed(): void {
    if (this.#presence.state === 'live') this.#holding.want('taken-over', 'replaced');
    // Nobody says so again: it is opened when it beats.
    else this.#holding.freed();
  }

  /** Another replica takes it; the streams here stay, and are not heard above. */
  async yield(): Promise<void> {
    await this.#holding.end('yielded', 'elsewhere');
  }

  replace(reason: 'inactive' | 'registered' | 'reassert'): void {
    this.#holding.replace(reason);
  }

  /** Ends its streams here, with these words. */
  tell(reply: StreamReply): void {
    for (const stream of this.#presence.streams) {
      this.#presence.detach(stream, 'left');
      stream.end(reply);
    }
  }

  /** It was made active after it had left: opens a stream, and ends it. */
  async bury(): Promise<void> {
    this.#holding.want('registered', 'replaced');
    await this.#holding.decided(BURIAL_MS);
    if (!this.alive) await this.#holding.end('left');
  }

  /** Ends its stream at the manager. Resolves when the manager has confirmed it, or will not. */
  async end(reason: NodeEndReason): Promise<void> {
    this.#presence.leave();
    await this.#holding.end(reason);
  }

  async #read(stream: Below): Promise<void> {
    try {
      // What it sends behind its first message, its half-close above all, is to find the stream open.
      await this.#holding.decided(OPENING_MS, stream.call);
      for (;;) {
        const message = await stream.call.read();
        if (stream.ended) return;
        if (message === undefined) {
          await this.#halfClosed(stream);
          return;
        }
        this.#presence.beat(stream);
        await this.#holding.send(message);
      }
    } catch (error) {
      if (!stream.ended) this.#departed(stream, error);
    }
  }

  #reasonToOpen(): OpenReason {
    if (this.#holding.state === 'elsewhere') return 'taken-over';
    return this.#presence.state === 'silent' ? 'awake' : 'first';
  }

  #awoke(): void {
    if (this.#holding.state !== 'elsewhere') this.#holding.want('awake');
  }

  /** While others are attached, the manager's words to it are known, and the gateway says them; the last one hears them itself. */
  async #halfClosed(stream: Below): Promise<void> {
    const wasLast = this.#presence.detach(stream, 'left');
    // Let go before, or another replica's: the manager has nothing to say to this end either.
    if (!wasLast || this.#holding.resting) stream.end(OK_WITHOUT_A_MESSAGE);
    if (!wasLast) return;
    this.#hasLeft = true;
    const reply = await this.#holding.end('left');
    stream.end(reply ?? saying(this.#nothingHeld()));
  }

  #departed(stream: Below, error: unknown): void {
    const { call } = stream;
    // What a reload forbids may be a mistake, and is mended within the grace without anybody's being inactive.
    const forbidden = codeOf(error) === 'not-allowed';
    const lost = forbidden || call.departure === 'connection-lost';
    const wasLast = this.#presence.detach(stream, lost ? 'lost' : 'left');
    this.#hasLeft = wasLast && !lost;
    if (wasLast && this.#presence.state === 'gone') void this.#holding.end(lost ? 'lost' : 'left');
    this.#check();
    const isLate = call.departure === 'deadline';
    if (call.cancelled) stream.gone(isLate ? Code.DEADLINE_EXCEEDED : Code.CANCELLED);
    else stream.fail(error);
  }

  #answered(reply: StreamReply): void {
    this.tell(reply);
    this.#presence.leave();
  }

  /** The manager has not seen a stream of the node to end: it was away. */
  #nothingHeld(): { code: number; message: string } {
    const trouble = this.#context.upstream.describeTrouble() ?? 'no stream of the node was open at a manager';
    return { code: Code.UNAVAILABLE, message: `manager-gateway: ${trouble}` };
  }

  /** Where nothing is held there is nothing to wait for, either. */
  #check(): void {
    if (!this.#holding.resting) return;
    if (this.#presence.state === 'grace') this.#presence.leave();
    if (this.#presence.state === 'gone') this.#over(this);
    // Whoever takes over from this replica, should it die, is not to wake what is silent.
    else if (this.#holding.state === 'dormant') void this.#context.claims.release(this.key);
  }
}
