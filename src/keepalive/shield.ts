import type { Mode } from '../config/config.js';
import { GatewayError } from '../errors.js';
import { unread } from '../route/one-message.js';
import type { Call } from '../rpc/call.js';
import { staggered } from '../rpc/staggered.js';
import type { ForwardOutcome, Upstream } from '../upstream/upstream.js';
import { saying } from './below.js';
import type { Claims, ClaimsListener, OrphanReason } from './claims.js';
import type { SessionContext } from './context.js';
import { GoneNodes } from './gone-nodes.js';
import { HandingOver, STOPPING } from './handing-over.js';
import { type IdentityDecoder, identify } from './identity.js';
import { type NodeId, type NodeRecord, nodeKeyOf } from './node.js';
import type { NodeView } from './node-view.js';
import type { KeptNode } from './nodes-format.js';
import { Session } from './session.js';
import { Unnamed } from './unnamed.js';

const FORGOTTEN = new GatewayError(
  'manager-unavailable',
  'manager-gateway: the operator has ended this stream',
);

/** What keeps live nodes active at the manager, whatever happens to the connections on either side. */
export interface Shield {
  /** From now on other replicas are heard. */
  start(): void;
  /** A KeepAlive stream of either API; ends the call and resolves with its code. Rejects with a GatewayError. */
  serve(call: Call, mode: Mode): Promise<ForwardOutcome>;
  /**
   * true: alive here, or held by another replica; false: it was here, and has said that it leaves; undefined: never seen, or not
   * heard of any more, as one that is at another replica by now.
   */
  isAlive(node: NodeId): boolean | undefined;
  /** It has just registered: whatever became of its streams before, it lives. */
  registered(node: NodeId): void;
  /** Its registration was sent again, which sets a seed peer active: the manager hears of it if the node has left meanwhile. */
  madeActive(node: NodeId): void;
  nodes(): readonly NodeView[];
  /** Keeps a node active that is not here yet, and gives it time to come. It is claimed for this replica already. */
  expect(record: NodeRecord, because: OrphanReason): void;
  /** Nodes that were heard here and are held here, or were until this gateway began to stop. */
  kept(): readonly KeptNode[];
  /** Changes with what is kept. */
  readonly revision: number;
  /** Ends these nodes' streams, above and below; returns how many nodes there were. */
  forget(matches: (node: NodeId) => boolean): number;
  /** Ends all streams below, one after the other, and those above when they are taken over, or late. `deadlineMs`: monotonic. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends what is left, and waits for the manager's word no longer than half a second. */
  stop(): Promise<void>;
}

export interface ShieldOptions extends Omit<SessionContext, 'claims'> {
  readonly claims: Claims;
  readonly leaseMs: number;
  /** Told of a node whose stream has come. */
  readonly came: (node: NodeId) => void;
  readonly forward: Upstream['forward'];
  readonly decoder: IdentityDecoder;
  /** Streams of more nodes than that are forwarded as they are. */
  readonly mostNodes: number;
}

export function createShield(options: ShieldOptions): Shield {
  return new NodeShield(options);
}

class NodeShield implements Shield {
  readonly #options: ShieldOptions;
  readonly #context: SessionContext;
  readonly #sessions = new Map<string, Session>();
  /** Those that were here, for who would register them anew. */
  readonly #gone: GoneNodes;
  readonly #unnamed = new Unnamed();
  readonly #handingOver: HandingOver;
  #revision = 0;
  #stopping = false;

  constructor(options: ShieldOptions) {
    this.#options = options;
    this.#gone = new GoneNodes(options.mostNodes);
    this.#handingOver = new HandingOver(options);
    const claims = {
      release: options.claims.release,
      take: (record: NodeRecord) => this.#take(record),
      holderOf: (key: string) => options.claims.holderOf(key),
    };
    this.#context = { ...options, claims };
  }

  start(): void {
    this.#options.claims.start(this.#listener());
  }

  async serve(call: Call, mode: Mode): Promise<ForwardOutcome> {
    if (this.#stopping) throw STOPPING;
    const { forward } = this.#options;
    // Elsewhere than in `answer` nothing is read but what could harm a node that is held already.
    if (mode !== 'answer' && this.#sessions.size === 0) return forward(call);
    if (call.metadata.authorization !== undefined) return forward(call);
    const first = await this.#unnamed.firstOf(call);
    if (first.kind === 'gone') return { code: first.code };
    if (this.#stopping) throw STOPPING;
    if (first.kind === 'ended') return forward(unread(call, [], true));
    const node = identify(call.path, first.message, this.#options.decoder);
    const session = node && this.#sessionOf(node, call.path, first.message, mode);
    if (session === undefined) return forward(unread(call, [first.message], false));
    this.#options.came(session.record.node);
    this.#revision++;
    return { code: await session.attach(call, first.message) };
  }

  get revision(): number {
    return this.#revision;
  }

  kept(): readonly KeptNode[] {
    return [...this.#handingOver.left, ...[...this.#sessions.values()].flatMap(({ kept }) => kept ?? [])];
  }

  expect(record: NodeRecord, because: OrphanReason): void {
    const key = nodeKeyOf(record.node);
    const session = this.#stopping ? undefined : (this.#sessions.get(key) ?? this.#begin(record));
    if (session === undefined) void this.#options.claims.release(key);
    // A replica that was frozen may be back for a lease longer than a node takes to notice that it has to come.
    else session.takeOver(because === 'silent' ? this.#options.leaseMs : 0);
  }

  isAlive(node: NodeId): boolean | undefined {
    const key = nodeKeyOf(node);
    const session = this.#sessions.get(key);
    if (session?.alive || this.#options.claims.heldElsewhere(key)) return true;
    // One that is silent may be back any moment.
    return session === undefined && this.#gone.hasLeft(key) ? false : undefined;
  }

  registered(node: NodeId): void {
    this.#gone.delete(nodeKeyOf(node));
  }

  madeActive(node: NodeId): void {
    if (this.#stopping || node.kind !== 'seed-peer' || this.isAlive(node)) return;
    const key = nodeKeyOf(node);
    const record = this.#gone.seedPeer(key);
    const session = this.#sessions.get(key) ?? (record && this.#begin(record));
    // Nothing but the end of a stream would ever set it inactive again.
    void session?.bury();
  }

  nodes(): readonly NodeView[] {
    return [...this.#sessions.values()].map(({ view }) => view);
  }

  forget(matches: (node: NodeId) => boolean): number {
    const found = [...this.#sessions.values()].filter(({ record }) => matches(record.node));
    for (const session of found) {
      session.tell(saying(FORGOTTEN.status));
      void session.end('forgotten');
    }
    return found.length;
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    this.#options.claims.leave();
    await staggered(this.#options, deadlineMs, [
      ...[...this.#sessions.values()].map((session) => () => this.#handingOver.letGo(session, deadlineMs)),
      ...this.#unnamed.calls.map((call) => () => this.#unnamed.end(call, STOPPING)),
    ]);
  }

  async stop(): Promise<void> {
    const { reconcile, claims } = this.#options;
    this.#stopping = true;
    reconcile.stop();
    await this.#handingOver.endAll([...this.#sessions.values()]);
    await claims.stop();
  }

  #sessionOf(node: NodeId, path: string, first: Buffer, mode: Mode): Session | undefined {
    const present = this.#sessions.get(nodeKeyOf(node));
    if (present !== undefined || mode !== 'answer') return present;
    return this.#begin({ node, path, first, intervalMs: undefined });
  }

  #begin(record: NodeRecord): Session | undefined {
    if (this.#sessions.size >= this.#options.mostNodes) {
      this.#options.emit({ kind: 'node-unshielded' });
      return undefined;
    }
    const session = new Session(this.#context, record, (over) => this.#over(over));
    this.#sessions.set(session.key, session);
    this.#revision++;
    return session;
  }

  #over(session: Session): void {
    if (this.#sessions.get(session.key) !== session) return;
    this.#sessions.delete(session.key);
    this.#revision++;
    // Who was not here has said nothing new.
    const hasLeft = session.hasLeft ?? this.#gone.hasLeft(session.key);
    this.#gone.add(session.key, session.record, hasLeft);
    this.#options.reconcile.closed(session);
    if (session.state !== 'elsewhere') void this.#options.claims.release(session.key);
  }

  /** Taken for a node that has left meanwhile, it is given back. */
  async #take(record: NodeRecord): Promise<void> {
    const { claims } = this.#options;
    await claims.take(record);
    const key = nodeKeyOf(record.node);
    if (!this.#sessions.has(key)) await claims.release(key);
  }

  #listener(): ClaimsListener {
    const sessions = this.#sessions;
    return {
      yield: (key) => sessions.get(key)?.yield() ?? Promise.resolve(),
      reassert: (key) => sessions.get(key)?.replace('reassert'),
      freed: (key) => sessions.get(key)?.freed(),
      orphaned: (record, because) => this.expect(record, because),
    };
  }
}
