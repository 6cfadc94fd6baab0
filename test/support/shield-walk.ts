import type { Claims, OrphanReason } from '../../src/keepalive/claims.js';
import type { ReplayResult } from '../../src/keepalive/context.js';
import { type NodeId, nodeKeyOf } from '../../src/keepalive/node.js';
import { Code, type Status } from '../../src/rpc/status.js';
import type { LineState } from '../../src/upstream/line.js';
import { type OpenedStream, type ScriptedLine, ScriptedLines } from './scripted-line.js';
import { type Attached, beatOf, INTERVAL_MS, type ShieldBench, shieldBench, V1, V2 } from './shield-bench.js';

/** How the manager takes what it is asked. */
export type Mood = 'well' | 'slow' | 'hung' | 'lost-rows' | 'pressed' | 'no-database';

export type WalkStep =
  | { readonly kind: 'attach'; readonly node: number; readonly path: string; readonly beats: boolean }
  | { readonly kind: 'leave'; readonly which: number; readonly how: Leaving }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'line'; readonly which: number; readonly to: LineState | 'new' }
  | { readonly kind: 'mood'; readonly mood: Mood }
  | { readonly kind: 'registering'; readonly result: ReplayResult }
  | { readonly kind: 'other'; readonly node: number; readonly does: OtherDoes };

type Leaving = 'cancelled' | 'deadline' | 'connection-lost' | 'half-close';
type OtherDoes = 'yield' | 'freed' | 'reassert' | 'silent' | 'leaving' | 'forget' | 'inactive' | 'registered';

export const WALK_NODES = 3;
const SLOW_MS = 700;
const TAKING_MS = 3;
/** A stream that is ended for another replica is given up by then. */
const LONGEST_END_MS = 10_000;
const REFUSALS: Partial<Record<Mood, Status>> = {
  'lost-rows': { code: Code.INTERNAL, message: 'record not found' },
  pressed: { code: Code.RESOURCE_EXHAUSTED, message: 'rejected by grpc_ratelimit middleware' },
  'no-database': { code: Code.INTERNAL, message: 'dial tcp: connect: connection refused' },
};

interface Attachment {
  readonly node: number;
  beats: boolean;
  readonly attached: Attached;
  readonly beat: () => void;
  halfClosed: boolean;
}

/** Several nodes, connections, replicas and a manager with moods, on one shield; everything that can happen to them, in any order. */
export class ShieldWalk {
  readonly bench: ShieldBench;
  readonly #lines = new ScriptedLines();
  readonly #all: ScriptedLine[] = [];
  readonly #attached: Attachment[] = [];
  /** Nodes that are this replica's, for all that others know. */
  readonly claimed = new Set<string>();
  #mood: Mood = 'well';
  readonly #yields = new Map<string, number>();
  #yielding = 0;

  constructor() {
    const claims: Partial<Claims> = {
      take: (record) =>
        new Promise((resolve) => {
          const key = nodeKeyOf(record.node);
          const yields = this.#yields.get(key);
          this.bench.clock.setTimer(TAKING_MS, () => {
            // Given away while it was on its way: it is resolved, and not ours.
            if (this.#yields.get(key) === yields) this.claimed.add(key);
            resolve();
          });
        }),
      release: async (key) => void this.claimed.delete(key),
    };
    this.bench = shieldBench({ lines: this.#lines, claims });
    this.#connect();
  }

  get living(): readonly Attachment[] {
    return this.#attached.filter(
      ({ attached: { call, outcome }, halfClosed }) =>
        call.ended === undefined && outcome === undefined && !call.cancelled && !halfClosed,
    );
  }

  async take(step: WalkStep): Promise<void> {
    switch (step.kind) {
      case 'attach': {
        const over = nodeFields(step.node);
        const attached = await this.bench.attach(over, step.path);
        const beat = (): void => attached.call.send(beatOf(over, step.path));
        this.#attached.push({ ...step, attached, beat, halfClosed: false });
        break;
      }
      case 'leave':
        this.#leave(step.which, step.how);
        break;
      case 'pass':
        await this.pass(step.ms);
        break;
      case 'line':
        this.#line(step.which, step.to);
        break;
      case 'mood':
        this.#mood = step.mood;
        for (const line of this.#all) line.confirms = step.mood !== 'slow' && step.mood !== 'hung';
        break;
      case 'registering':
        this.bench.replay = () => step.result;
        break;
      case 'other':
        this.#other(nodeId(step.node), step.does);
        break;
      default:
        step satisfies never;
    }
    await this.bench.settle();
  }

  /** Time passes, and who beats beats. */
  async pass(ms: number): Promise<void> {
    for (let leftMs = ms; leftMs > 0; leftMs -= INTERVAL_MS) {
      await this.bench.pass(Math.min(INTERVAL_MS, leftMs));
      if (leftMs >= INTERVAL_MS) for (const one of this.living) if (one.beats) one.beat();
      await this.bench.settle();
    }
  }

  /** The manager is well, a connection is there, and nobody else wants any node. */
  async calm(): Promise<void> {
    await this.take({ kind: 'mood', mood: 'well' });
    this.bench.replay = () => 'applied';
    this.#connect();
    await this.pass(LONGEST_END_MS);
    for (let node = 0; node < WALK_NODES; node++) this.bench.others.freed(nodeKeyOf(nodeId(node)));
    await this.bench.settle();
  }

  /** Whoever was silent beats again. */
  async allBeat(): Promise<void> {
    for (const one of this.living) one.beats = true;
    await this.bench.settle();
  }

  /** Of each node, whether one of its streams lives, and beats. */
  lives(): boolean[] {
    return Array.from({ length: WALK_NODES }, (_, node) =>
      this.living.some((one) => one.node === node && one.beats),
    );
  }

  async allLeave(): Promise<void> {
    for (const { attached } of this.living) attached.call.leave('cancelled');
    await this.bench.settle();
  }

  /** Of each node, its streams at the manager that have not ended. */
  open(): OpenedStream[][] {
    return Array.from({ length: WALK_NODES }, (_, node) => {
      const first = beatOf(nodeFields(node)).toString('hex');
      return this.#lines.streams.filter(
        ({ ended, messages }) => !ended && messages[0]?.toString('hex') === first,
      );
    });
  }

  /** What would be left of nodes that came and went, could it be forgotten. */
  leftovers(): object {
    return {
      nodes: this.bench.shield.nodes().length,
      timers: this.bench.clock.pendingTimers,
      watchers: [this.#lines.watchers, ...this.#all.map(({ watchers }) => watchers)].filter((n) => n > 0),
      streams: this.open().flat().length,
      claimed: [...this.claimed],
      unclosed: this.#unclosed(),
      unanswered: this.#attached.filter(
        ({ attached: { call, outcome } }) => !call.cancelled && outcome === undefined,
      ).length,
    };
  }

  /** Nodes whose streams were shown to who compares them with the manager's view, and never their end. */
  #unclosed(): string[] {
    const sessions = new Set(this.bench.opened);
    for (const node of this.bench.closed) sessions.delete(node);
    return [...sessions].map(({ key }) => key);
  }

  #connect(): void {
    const line = this.#lines.add();
    const open = line.open.bind(line);
    line.open = (path, metadata, listener) => {
      const call = open(path, metadata, listener);
      const stream = this.#lines.streams.at(-1);
      const refusal = REFUSALS[this.#mood];
      if (refusal !== undefined) this.bench.clock.setTimer(1, () => stream?.end(refusal));
      return {
        ...call,
        halfClose: () => {
          call.halfClose();
          if (this.#mood === 'slow') this.bench.clock.setTimer(SLOW_MS, () => stream?.end());
        },
      };
    };
    line.confirms = this.#mood !== 'slow' && this.#mood !== 'hung';
    this.#all.push(line);
  }

  #line(which: number, to: LineState | 'new'): void {
    const there = this.#all.filter(({ state }) => state !== 'gone');
    const line = there[which % Math.max(1, there.length)];
    if (to === 'new' || line === undefined) this.#connect();
    else if (to === 'gone') line.lose();
    else line.state = to;
  }

  #leave(which: number, how: Leaving): void {
    const one = this.living[which % Math.max(1, this.living.length)];
    if (one === undefined) return;
    if (how !== 'half-close') {
      one.attached.call.leave(how);
      return;
    }
    one.halfClosed = true;
    one.attached.call.send(undefined);
  }

  #other(node: NodeId, does: OtherDoes): void {
    const key = nodeKeyOf(node);
    const { shield, others, opened } = this.bench;
    switch (does) {
      case 'yield':
        this.#yields.set(key, (this.#yields.get(key) ?? 0) + 1);
        this.#yielding++;
        void others.yield(key).then(() => {
          this.#yielding--;
          this.claimed.delete(key);
        });
        break;
      case 'freed':
        // Nobody says so before the end of the stream here.
        if (this.#yielding === 0) others.freed(key);
        break;
      case 'reassert':
        others.reassert(key);
        break;
      case 'silent':
      case 'leaving':
        this.#orphaned(node, does);
        break;
      case 'forget':
        shield.forget(({ hostname }) => hostname === node.hostname);
        break;
      case 'inactive':
      case 'registered':
        opened.findLast((one) => one.key === key)?.replace(does);
        break;
      default:
        does satisfies never;
    }
  }

  /** It is claimed for this replica already when it hears of it. */
  #orphaned(node: NodeId, because: OrphanReason): void {
    const number = Number(node.hostname.slice('node-'.length));
    this.claimed.add(nodeKeyOf(node));
    const first = beatOf(nodeFields(number));
    this.bench.others.orphaned({ node, path: V1, first, intervalMs: INTERVAL_MS }, because);
  }
}

/** One of them is a seed peer: what is sent for it on the gateway's own account sets it active. */
function nodeFields(node: number): object {
  const source_type = node === 0 ? 'SEED_PEER_SOURCE' : 'SCHEDULER_SOURCE';
  return { hostname: `node-${node}`, source_type };
}

function nodeId(node: number): NodeId {
  const [kind, source] =
    node === 0 ? (['seed-peer', 'SEED_PEER_SOURCE'] as const) : (['scheduler', 'SCHEDULER_SOURCE'] as const);
  return { kind, source, clusterId: '1', hostname: `node-${node}`, ip: '127.0.0.1' };
}

export const WALK_PATHS = [V1, V2] as const;
