import type { Emit } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { Line } from '../upstream/line.js';
import type { HeldNode, Reconcile, ReplayResult } from './context.js';
import { Dispute, type Says, type Verdict } from './dispute.js';
import { createLookQueue } from './look-queue.js';
import { depthNow, type LookedFrom, nextLookMs } from './looks.js';
import type { NodeId } from './node.js';
import type { Sighting, Witness } from './witness.js';

/** What a manager was last seen to say of a node. Times monotonic, ms. */
export interface ManagersView {
  readonly says: Sighting['kind'];
  readonly atMs: number;
  /** Why nobody knows; "" where somebody does. */
  readonly detail: string;
  /** Since when it has been seen to say otherwise than what is held here; undefined: it does not. */
  readonly disputedSinceMs: number | undefined;
}

export interface ReconcileOptions {
  readonly witness: Witness<Line>;
  /** A good connection to the manager at this address. */
  readonly lineTo: (address: string) => Line | undefined;
  /** Makes the manager know the node again, if its registration is known here. Never rejects. */
  readonly replayNode: (node: NodeId) => Promise<ReplayResult>;
  readonly reconcileMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

/** The manager refuses what is beyond 4,000 a second in v2.5; streams and reads are to have their part of that. */
const LOOKS_IN_FLIGHT = 32;
const LOOKS_PER_SECOND = 1_000;

/** A manager that has come back is asked itself for so long; then its memory is as old as that of others. */
const RETURNED_MS = 10_000;

export interface Reconciling extends Reconcile {
  /** The manager at this address (host:port) answers again: what it writes now, of nodes that have moved, nobody is told. */
  returned(address: string): void;
  /** `key` as `nodeKeyOf` makes it; undefined: it was not asked for yet. */
  viewOf(key: string): ManagersView | undefined;
}

/** Asks, in time, what the managers say of the nodes that are held here, and mends what is wrong. */
export function createReconcile(options: ReconcileOptions): Reconciling {
  const { clock } = options;
  const queue = createLookQueue({ inFlight: LOOKS_IN_FLIGHT, perSecond: LOOKS_PER_SECOND, clock });
  const watches = new Map<string, Watch>();
  return {
    opened(node) {
      const watch = watches.get(node.key) ?? new Watch(node, queue.run, options);
      watches.set(node.key, watch);
      watch.opened();
    },
    closed({ key }) {
      watches.get(key)?.stop();
      watches.delete(key);
    },
    returned(address) {
      for (const watch of watches.values()) watch.returned(address);
    },
    viewOf: (key) => watches.get(key)?.view,
    stop() {
      queue.stop();
      for (const watch of watches.values()) watch.stop();
      watches.clear();
    },
  };
}

/** The looks at one node, one after the other. */
class Watch {
  readonly #node: HeldNode;
  readonly #inTurn: (look: () => Promise<void>) => Promise<void>;
  readonly #options: ReconcileOptions;
  readonly #dispute: Dispute;
  #last: { readonly sighting: Sighting; readonly atMs: number } | undefined;
  #lastDeepAtMs: number | undefined;
  /** A manager that has come back since the stream was opened. */
  #returned: { readonly address: string; readonly atMs: number } | undefined;
  #timer: Timer | undefined;
  /** Rises with every opening: what was asked before it says nothing about it. Negative: stopped. */
  #opening = 0;

  constructor(
    node: HeldNode,
    inTurn: (look: () => Promise<void>) => Promise<void>,
    options: ReconcileOptions,
  ) {
    this.#node = node;
    this.#inTurn = inTurn;
    this.#options = options;
    this.#dispute = new Dispute(options.clock.nowMs());
  }

  get view(): ManagersView | undefined {
    if (this.#last === undefined) return undefined;
    const { sighting, atMs } = this.#last;
    const detail = sighting.kind === 'unknown' ? sighting.detail : '';
    return { says: sighting.kind, atMs, detail, disputedSinceMs: this.#dispute.sinceMs };
  }

  opened(): void {
    this.#opening++;
    // What it wrote before is undone; what it remembers of that would only be believed.
    this.#returned = undefined;
    this.#dispute.opened(this.#openedAtMs);
    this.#plan();
  }

  returned(address: string): void {
    if (this.#node.line === undefined) return;
    this.#returned = { address, atMs: this.#options.clock.nowMs() };
    this.#plan();
  }

  stop(): void {
    this.#opening = -1;
    this.#timer?.cancel();
  }

  get #openedAtMs(): number {
    return this.#node.openedAtMs ?? this.#options.clock.nowMs();
  }

  get #lookedFrom(): LookedFrom {
    const { line } = this.#node;
    const isAnother = this.#returned !== undefined && this.#returned.address !== line?.address;
    return {
      openedAtMs: this.#openedAtMs,
      returnedAtMs: this.#returned?.atMs,
      otherReturnedAtMs: isAnother ? this.#returned?.atMs : undefined,
    };
  }

  #plan(soonMs?: number): void {
    const { clock, random, reconcileMs } = this.#options;
    const opening = this.#opening;
    const inMs = soonMs ?? nextLookMs(this.#lookedFrom, clock.nowMs(), reconcileMs, random());
    this.#timer?.cancel();
    this.#timer = clock.setTimer(inMs, () => void this.#go(opening));
  }

  async #go(opening: number): Promise<void> {
    let soonMs: number | undefined;
    try {
      await this.#inTurn(async () => {
        soonMs = await this.#look(opening);
      });
    } catch (error) {
      this.#options.emit({ kind: 'internal-error', where: 'looking at a node', error });
    }
    if (opening === this.#opening) this.#plan(soonMs);
  }

  /** Resolves with when to look again, where that is sooner than usual. */
  async #look(opening: number): Promise<number | undefined> {
    const { witness, clock, emit } = this.#options;
    const { record, line } = this.#node;
    // On another connection another process may answer; on one that is mute a look would keep others waiting for nothing.
    if (opening !== this.#opening || line?.state !== 'good') return undefined;
    const depth = depthNow(this.#lookedFrom, this.#lastDeepAtMs, clock.nowMs());
    if (depth === 'past-caches') this.#lastDeepAtMs = clock.nowMs();
    const sighting = await witness.look(record, depth === 'usual' ? line : this.#deepLine(line), depth);
    const isOfThisStream = opening === this.#opening && this.#node.line === line && this.#node.alive;
    if (!isOfThisStream) return undefined;
    this.#last = { sighting, atMs: clock.nowMs() };
    emit({ kind: 'node-looked-at', node: record.node.kind, says: sighting.kind });
    return this.#follow(this.#dispute.judge(sighting, clock.nowMs()));
  }

  /** What a manager has just written it alone shows at once; the others remember for half a minute what they asked the database. */
  #deepLine(line: Line): Line {
    const { lineTo, clock } = this.#options;
    if (this.#returned === undefined || clock.nowMs() - this.#returned.atMs > RETURNED_MS) return line;
    return lineTo(this.#returned.address) ?? line;
  }

  #follow(verdict: Verdict): number | undefined | Promise<undefined> {
    const { emit } = this.#options;
    const node = this.#node.record.node.kind;
    switch (verdict.kind) {
      case 'none':
        return undefined;
      case 'look-again':
        return verdict.inMs;
      case 'settled':
        emit({ kind: 'node-settled', node, disputedMs: verdict.disputedMs });
        return undefined;
      case 'disputed':
        if (verdict.begins) emit({ kind: 'node-disputed', node, says: verdict.says });
        return undefined;
      case 'mend':
        if (verdict.begins) emit({ kind: 'node-disputed', node, says: verdict.says });
        return this.#mend(verdict.says);
      default:
        return verdict satisfies never;
    }
  }

  async #mend(says: Says): Promise<undefined> {
    if (says === 'inactive') {
      this.#node.replace('inactive');
      return;
    }
    const opening = this.#opening;
    const replayed = await this.#options.replayNode(this.#node.record.node);
    if (replayed === 'later') this.#dispute.notMended();
    const isThere = replayed === 'applied' || replayed === 'there-already';
    if (isThere && opening === this.#opening && this.#node.alive) this.#node.replace('registered');
  }
}
