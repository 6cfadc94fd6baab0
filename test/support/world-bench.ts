import { classify } from '../../src/breaker/classify.js';
import { GatewayError } from '../../src/errors.js';
import { decodeRequest, decodeResponse, encodeRequest } from '../../src/route/proto.js';
import type { Reply } from '../../src/rpc/call.js';
import type { Read } from '../../src/rpc/read.js';
import { createWorld, type World } from '../../src/world/world.js';
import { bench, responseOf, turn } from './data-path.js';
import { ManualClock } from './manual-clock.js';
import { ended, ok } from './scripted-upstream.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
/** What a daemon asks. */
export const LISTING: Read = bench().read('ListSchedulers', { hostname: 'daemon', ip: '10.0.0.9' });

/** A world, and the database of the manager that is asked, in the test's hand. */
export class WorldBench {
  readonly clock = new ManualClock();
  readonly events: string[] = [];
  readonly world: World;
  /** Schedulers that have a row. */
  rows: readonly string[] = ['a', 'b', 'c'];
  /** Clusters that the database does not know. */
  deletedClusters: readonly string[] = [];
  healthy = true;
  /** Asking fails. */
  silent = false;
  /** How often the manager was asked. */
  asked = 0;
  /** Ids count up in the order in which rows were made. */
  readonly ids = new Map<string, number>();
  #deletedAtMs: ReadonlyMap<string, number> = new Map();

  constructor() {
    const { clock } = this;
    this.world = createWorld({
      ask: (path, message) => {
        const reply = this.#answer(path, message);
        if (this.silent) return Promise.reject(new GatewayError('manager-timeout', 'silent'));
        return Promise.resolve({
          reply,
          askedAtMs: clock.nowMs(),
          answeredAtMs: clock.nowMs(),
          manager: '0',
        });
      },
      encode: (path, fields) => encodeRequest(path, { ...fields }),
      decode: decodeResponse,
      classify,
      remembered: () => undefined,
      forgetAll: () => undefined,
      clock,
      random: () => 0.5,
      managerHealthy: () => this.healthy,
      wasDeleted: ({ hostname }, sinceMs) =>
        sinceMs <= (this.#deletedAtMs.get(hostname) ?? Number.NEGATIVE_INFINITY),
      emit: ({ kind }) => this.events.push(kind),
    });
    this.learn();
  }

  rowOf(hostname: string): object {
    return {
      id: this.ids.get(hostname) ?? this.ids.set(hostname, this.ids.size + 1).size,
      hostname,
      scheduler_cluster_id: 1,
      scheduler_cluster: { id: 1, name: 'cluster-1' },
    };
  }

  list(): Reply {
    return ok(responseOf(LIST, { schedulers: this.rows.map((hostname) => this.rowOf(hostname)) }));
  }

  /** An answer was remembered: this list, unless another is given. */
  learn(
    reply: Reply = this.list(),
    { question, expired = false }: { question?: Read['question']; expired?: boolean } = {},
  ): void {
    const askedAtMs = this.clock.nowMs();
    this.world.learn({ question: question ?? LISTING.question, reply, askedAtMs, expired });
  }

  /** Through a gateway. */
  delete(...hostnames: readonly string[]): void {
    this.#deletedAtMs = new Map(hostnames.map((hostname) => [hostname, this.clock.nowMs()]));
  }

  /** The manager went away, and one has come back. */
  async restartManager(): Promise<void> {
    this.world.unsure();
    this.world.cleared();
    await this.settled();
  }

  /** The roll was called, and what came of it has been seen. */
  async settled(): Promise<void> {
    for (let times = 0; times < 5; times++) await turn();
  }

  #answer(path: string, message: Buffer): Reply {
    this.asked++;
    const fields = decodeRequest(path, message);
    if (path === LIST) {
      const unknown = this.deletedClusters.includes(String(fields.scheduler_cluster_id));
      return unknown ? ended(2, 'record not found') : this.list();
    }
    const hostname = String(fields.hostname);
    return this.rows.includes(hostname)
      ? ok(responseOf(path, this.rowOf(hostname)))
      : ended(13, 'record not found');
  }
}
