import { Claimant, type ClaimantOptions, StreamsAtManager } from './claimant.js';
import type { RedisProcess } from './redis-process.js';
import { until as untilSaid } from './until.js';

const LIMIT_MS = 20_000;

/** Replicas on one Redis and one manager, and the way to end them all. */
export class Claimants {
  readonly manager = new StreamsAtManager();
  readonly #redis: () => Pick<RedisProcess, 'address'>;
  readonly #more: Partial<ClaimantOptions>;
  #all: Claimant[] = [];

  constructor(redis: () => Pick<RedisProcess, 'address'>, more: Partial<ClaimantOptions> = {}) {
    this.#redis = redis;
    this.#more = more;
  }

  start(name: string, more: Partial<ClaimantOptions> = {}): Claimant {
    const { manager } = this;
    const made = new Claimant({ name, redis: this.#redis().address, manager, ...this.#more, ...more });
    this.#all.push(made);
    return made;
  }
  /** All of these, once Redis is there for each. */
  async startAll(names: readonly string[], more: Partial<ClaimantOptions> = {}): Promise<Claimant[]> {
    const made = names.map((name) => this.start(name, more));
    await Promise.all(made.map((one) => one.seen(({ kind }) => kind === 'claims-shared')));
    return made;
  }
  get all(): readonly Claimant[] {
    return this.#all;
  }
  async stop(): Promise<void> {
    await Promise.all(this.#all.map((one) => one.stop()));
    this.#all = [];
  }
}

/** Looks until it is so. */
export function until(what: () => unknown): Promise<void> {
  return untilSaid(String(what), async () => Boolean(await what()), LIMIT_MS);
}
