import { systemClock } from '../../src/rpc/clock.js';
import { Code } from '../../src/rpc/status.js';
import { Counters } from '../../src/simulator/fleet/counters.js';
import { keepBeating } from '../../src/simulator/fleet/keep-alive-beats.js';
import { Life } from '../../src/simulator/fleet/life.js';
import { ManagerClient } from '../../src/simulator/fleet/manager-client.js';
import { keepAlive, type ManagerApi, type Message } from '../../src/simulator/fleet/messages.js';
import { createPace } from '../../src/simulator/fleet/pace.js';
import type { NodeName } from '../../src/simulator/manager/manager-record.js';
import { requestOf } from './data-path.js';

export interface ShieldNodeOptions {
  readonly name: NodeName;
  readonly api: 'v1' | 'v2';
  /** Where it connects to, host:port. */
  readonly address: string;
  readonly timeFactor: number;
}

const SERVICES: Record<'v1' | 'v2', ManagerApi> = { v1: 'manager.Manager', v2: 'manager.v2.Manager' };
const REGISTRATION_DEADLINE_MS = 10_000;
const BETWEEN_TRIES_MS = 500;

/** One scheduler or seed peer: it registers once, then keeps its stream as Go components do. */
export class ShieldNode {
  readonly name: NodeName;
  readonly #options: ShieldNodeOptions;
  readonly #counters = new Counters();
  #life: Life | undefined;
  #beating: Promise<void> = Promise.resolve();

  constructor(options: ShieldNodeOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get live(): boolean {
    return this.#life !== undefined;
  }

  /** Streams opened and noticed broken so far. */
  get streams(): { readonly opened: number; readonly broken: number } {
    return this.#counters.streams;
  }

  /** Resolves once it has registered; its first beat comes one interval later. */
  async start(): Promise<void> {
    const life = new Life(systemClock);
    const client = this.#connect(life);
    this.#life = life;
    await register(client, registration(this.#options), life);
    this.#beat(life, client);
  }

  /** Runs, and has registered before: it only opens its stream. */
  resume(): void {
    const life = new Life(systemClock);
    this.#life = life;
    this.#beat(life, this.#connect(life));
  }

  /** A Go component that is told to stop cancels its stream; then it closes its connection. */
  async stop(): Promise<void> {
    this.#life?.end();
    this.#life = undefined;
    await this.#beating;
  }

  #connect(life: Life): ManagerClient {
    const { address, timeFactor } = this.#options;
    const backoff = { initialMs: 1_000 / timeFactor, maxMs: 120_000 / timeFactor };
    const client = new ManagerClient(address, { clock: systemClock, backoff });
    life.own(() => client.close());
    return client;
  }

  #beat(life: Life, client: ManagerClient): void {
    const { name, api, timeFactor } = this.#options;
    const around = { pace: createPace(systemClock, timeFactor), counters: () => this.#counters };
    this.#beating = keepBeating(around, life, client, keepAlive(SERVICES[api], name));
  }
}

function registration({ name, api }: ShieldNodeOptions): Message {
  const label = name.kind === 'scheduler' ? 'UpdateScheduler' : 'UpdateSeedPeer';
  const path = `/${SERVICES[api]}/${label}`;
  const { hostname, ip, clusterId } = name;
  const own =
    name.kind === 'scheduler'
      ? { source_type: 'SCHEDULER_SOURCE', scheduler_cluster_id: clusterId, port: 8002 }
      : {
          source_type: 'SEED_PEER_SOURCE',
          seed_peer_cluster_id: clusterId,
          type: 'super',
          port: 65006,
          download_port: 65008,
        };
  return { path, label, bytes: requestOf(path, { hostname, ip, ...own }) };
}

/** A real one exits and is started again until it could register. */
async function register(client: ManagerClient, message: Message, life: Life): Promise<void> {
  while (!life.ended) {
    const { code } = await client.unary(message, REGISTRATION_DEADLINE_MS);
    if (code === Code.OK) return;
    await life.sleep(BETWEEN_TRIES_MS);
  }
}
