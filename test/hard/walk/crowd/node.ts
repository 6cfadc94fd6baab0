import { setTimeout as wait } from 'node:timers/promises';
import { encodeRequest } from '../../../../src/route/proto.js';
import type { NodeName } from '../../../../src/simulator/manager/manager-record.js';
import { BEAT_MS } from '../settings.js';
import { machineMs } from '../stage/monotonic.js';
import { connect, type OpenStream, type Outcome, type Place, type Session } from './session.js';

export type Api = 'v1' | 'v2';
/** How a node ends: politely, killed, hung with its connection open, or deleted by itself as Rust seed peers do. */
export type NodeEnd = 'cancel' | 'half-close' | 'killed' | 'hung' | 'deleted';

/** One registration and what came of it. `version` stands in its location; 0: a deletion. */
export interface Registered {
  readonly path: string;
  readonly request: Buffer;
  readonly version: number;
  readonly calledAtMs: number;
  readonly gotAtMs: number;
  readonly outcome: Outcome;
}

export interface NodeOptions {
  readonly name: NodeName;
  readonly api: Api;
  place(): Place;
  registered(node: WalkNode, registered: Registered): void;
  deleted(node: WalkNode, deletion: Registered): void;
}

const REGISTER_DEADLINE_MS = 6_000;
const RETRY_MS = 500;

/** A scheduler or seed peer: registers, beats as Go components do, ends in one of several ways, and comes back. */
export class WalkNode {
  readonly name: NodeName;
  readonly #options: NodeOptions;
  readonly #prefix: string;
  #session: Session | undefined;
  #stream: OpenStream | undefined;
  #life: AbortController | undefined;
  #version = 0;
  #registering: Promise<void> = Promise.resolve();

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.#options = options;
    this.#prefix = options.api === 'v1' ? '/manager.Manager/' : '/manager.v2.Manager/';
  }

  get living(): boolean {
    return this.#life !== undefined;
  }

  /** Resolves when it has registered, or is ended; its first beat comes one interval later. */
  async start(): Promise<void> {
    const life = new AbortController();
    this.#life = life;
    // Of one that hung.
    this.#session?.close();
    while (!life.signal.aborted && !(await this.#register())) await this.#pause(RETRY_MS, life);
    if (!life.signal.aborted) void this.#beat(life);
  }

  /** Once more, with other values, while it runs. */
  async registerAgain(): Promise<void> {
    if (this.living) await this.#register();
  }

  /** Resolves with how it ended: a deletion that failed is none. */
  async end(how: NodeEnd): Promise<NodeEnd> {
    this.#life?.abort();
    this.#life = undefined;
    // What it has asked for is answered first, so that nothing of it comes later.
    await this.#registering;
    const isDeleted = how === 'deleted' && (await this.#delete());
    if (how === 'half-close') this.#stream?.halfClose();
    if (how === 'cancel' || how === 'deleted') this.#stream?.cancel();
    // Who hangs says nothing, and holds on to what it has.
    if (how !== 'hung') await this.#hangUp(how);
    return how === 'deleted' && !isDeleted ? 'cancel' : how;
  }

  /** For whoever hung. */
  close(): void {
    this.#session?.close();
  }

  async #hangUp(how: NodeEnd): Promise<void> {
    if (how === 'killed') this.#session?.close('gone');
    // The end of the stream has to be on its way before that of the connection.
    else await wait(RETRY_MS);
    this.#session?.close();
  }

  async #beat(life: AbortController): Promise<void> {
    const path = `${this.#prefix}KeepAlive`;
    const message = encodeRequest(path, this.#fields('cluster_id'));
    while (!life.signal.aborted) {
      const stream = this.#connected().open(path);
      this.#stream = stream;
      while (await this.#pause(BEAT_MS, life)) {
        if (stream.ended) break;
        stream.send(message);
      }
    }
  }

  async #register(): Promise<boolean> {
    const scheduler = this.name.kind === 'scheduler';
    const path = `${this.#prefix}${scheduler ? 'UpdateScheduler' : 'UpdateSeedPeer'}`;
    const version = ++this.#version;
    const own = scheduler ? { port: 8002 } : { type: 'super', port: 65006, download_port: 65008 };
    const cluster = scheduler ? 'scheduler_cluster_id' : 'seed_peer_cluster_id';
    const fields = { ...this.#fields(cluster), ...own, idc: `idc-${this.name.clusterId}` };
    const request = encodeRequest(path, { ...fields, location: locationOf(version) });
    const calledAtMs = machineMs();
    const calling = this.#connected().call(path, request, REGISTER_DEADLINE_MS);
    this.#registering = calling.then(() => undefined);
    const outcome = await calling;
    const gotAtMs = machineMs();
    this.#options.registered(this, { path, request, version, calledAtMs, gotAtMs, outcome });
    if (outcome.code === -1) this.#session?.close();
    return outcome.code === 0;
  }

  async #delete(): Promise<boolean> {
    // v1 has none.
    const path = '/manager.v2.Manager/DeleteSeedPeer';
    const request = encodeRequest(path, this.#fields('seed_peer_cluster_id'));
    const calledAtMs = machineMs();
    const outcome = await this.#connected().call(path, request, REGISTER_DEADLINE_MS);
    const gotAtMs = machineMs();
    this.#options.deleted(this, { path, request, version: 0, calledAtMs, gotAtMs, outcome });
    return outcome.code === 0;
  }

  #fields(cluster: string): Record<string, unknown> {
    const { kind, hostname, ip, clusterId } = this.name;
    const source_type = kind === 'scheduler' ? 'SCHEDULER_SOURCE' : 'SEED_PEER_SOURCE';
    return { source_type, hostname, ip, [cluster]: clusterId };
  }

  #connected(): Session {
    if (this.#session === undefined || this.#session.closed) this.#session = connect(this.#options.place());
    return this.#session;
  }

  /** False: its life is over. */
  async #pause(ms: number, { signal }: AbortController): Promise<boolean> {
    await wait(ms, undefined, { signal }).catch(() => undefined);
    return !signal.aborted;
  }
}

/** Where a registration says it is: which one it was. */
export function locationOf(version: number): string {
  return `walk|${version}`;
}

export function versionIn(location: string): number {
  return Number(/^walk\|(\d+)$/.exec(location)?.[1] ?? 0);
}
