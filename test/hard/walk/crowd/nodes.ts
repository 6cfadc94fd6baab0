import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../../../../src/simulator/fleet/random.js';
import type { NodeName } from '../../../../src/simulator/manager/manager-record.js';
import { oneOf } from '../faults/fault.js';
import { NODES } from '../settings.js';
import { machineMs } from '../stage/monotonic.js';
import { type NodeEnd, type NodeOptions, WalkNode } from './node.js';

const ENDS: readonly NodeEnd[] = ['cancel', 'half-close', 'killed', 'hung'];
/** Of forty at the most: a cluster that loses a fifth looks like another one. */
const MOST_ENDED = 8;
/** Who ended among the faults of a round and stays away through those of the next. */
const MOST_RESTING = 3;
const STEP_MS = 400;
/** A stream that has shown its rhythm. */
const SETTLED_MS = 8_000;

export interface NodesOptions extends Pick<NodeOptions, 'place' | 'registered' | 'deleted'> {
  readonly random: Random;
  began(node: NodeName, atMs: number): void;
  ending(node: NodeName, atMs: number): void;
  ended(node: NodeName, atMs: number, how: NodeEnd): void;
}

/** Two of five are schedulers; of either kind some speak v1, which Rust seed peers do not. Two clusters. */
export function nodeNames(): NodeName[] {
  return Array.from({ length: NODES }, (_, number) => {
    const kind = number % 5 < 2 ? 'scheduler' : 'seed-peer';
    const ip = `127.88.0.${number + 1}`;
    return { kind, clusterId: 1 + ((number >> 1) % 2), hostname: `${kind}-${number}`, ip };
  });
}

/** Schedulers and seed peers that come and go. */
export class Nodes {
  readonly #options: NodesOptions;
  readonly #random: Random;
  readonly #nodes: readonly WalkNode[];
  readonly #since = new Map<WalkNode, number>();
  readonly #busy = new Set<WalkNode>();
  readonly #endedLately = new Set<WalkNode>();
  readonly #resting = new Set<WalkNode>();

  constructor(names: readonly NodeName[], options: NodesOptions) {
    this.#options = options;
    this.#random = options.random;
    this.#nodes = names.map(
      (name, number) => new WalkNode({ ...options, name, api: number % 3 === 0 ? 'v1' : 'v2' }),
    );
  }

  get living(): readonly NodeName[] {
    return this.#nodes.filter((node) => node.living).map(({ name }) => name);
  }

  async startAll(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => this.#start(node)));
  }

  /** For so long nodes come, go and register again. */
  async bustle(forMs: number): Promise<void> {
    const untilMs = machineMs() + forMs;
    this.#endedLately.clear();
    while (machineMs() < untilMs - STEP_MS) {
      await wait(STEP_MS);
      const draw = this.#random();
      if (draw < 0.3) this.#someone(false, (node) => this.#start(node));
      else if (draw < 0.5) this.#someone(true, (node) => this.#end(node));
      else if (draw < 0.9) this.#someone(true, (node) => node.registerAgain());
    }
  }

  /** Who has ended comes back, but for a few: else nobody could tell what becomes of an end among faults, nor who brings it back. */
  async restore(): Promise<void> {
    this.#resting.clear();
    const away = this.#nodes.filter((node) => this.#isFree(node, false));
    const lately = away.filter((node) => this.#endedLately.has(node));
    while (lately.length > 0 && this.#resting.size < MOST_RESTING)
      this.#resting.add(lately.splice(Math.floor(this.#random() * lately.length), 1)[0] as WalkNode);
    await Promise.all(away.filter((node) => !this.#resting.has(node)).map((node) => this.#start(node)));
  }

  /** One of each way to end. */
  async endSome(): Promise<void> {
    const ends: readonly NodeEnd[] = [...ENDS, 'deleted'];
    await Promise.all(
      ends.map((how) => {
        const settled = this.#nodes.filter(
          (node) => this.#isFree(node, true) && machineMs() - (this.#since.get(node) ?? 0) > SETTLED_MS,
        );
        const fit = settled.filter(({ name }) => how !== 'deleted' || name.kind === 'seed-peer');
        return fit.length === 0 ? undefined : this.#end(oneOf(fit, this.#random), how);
      }),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#nodes.map(async (node) => {
        if (node.living) await node.end('cancel');
        node.close();
      }),
    );
  }

  #someone(living: boolean, does: (node: WalkNode) => Promise<void>): void {
    const fit = this.#nodes.filter((node) => this.#isFree(node, living) && !this.#resting.has(node));
    if (fit.length === 0) return;
    const node = oneOf(fit, this.#random);
    this.#busy.add(node);
    void does(node).finally(() => this.#busy.delete(node));
  }

  #isFree(node: WalkNode, living: boolean): boolean {
    return node.living === living && !this.#busy.has(node);
  }

  async #start(node: WalkNode): Promise<void> {
    this.#options.began(node.name, machineMs());
    await node.start();
    this.#since.set(node, machineMs());
  }

  async #end(node: WalkNode, how: NodeEnd = oneOf(ENDS, this.#random)): Promise<void> {
    if (this.#nodes.filter(({ living }) => !living).length >= MOST_ENDED) return;
    this.#busy.add(node);
    this.#options.ending(node.name, machineMs());
    const ended = await node.end(how);
    this.#options.ended(node.name, machineMs(), ended);
    this.#endedLately.add(node);
    this.#busy.delete(node);
  }
}
