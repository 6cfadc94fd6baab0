import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Claimant, keyOf } from '../../support/claimant.js';
import { Claimants, until } from '../../support/claimants.js';
import { type RedisProcess, startRedis } from '../../support/redis-process.js';

const LEASE_MS = 450;
const NODES = ['one', 'two'];
/** More of them for who looks for a counterexample. */
const RUNS = Number(process.env.CLAIMS_RUNS ?? 8);

let redis: RedisProcess;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const replica = fc.nat(2);
const node = fc.constantFrom(...NODES);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('attach' as const), replica, node }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('detach' as const), replica, node }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('freeze' as const), replica }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('thaw' as const), replica }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), replica }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('offer' as const), replica, node }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.nat(2 * LEASE_MS) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

class History {
  readonly claimants = new Claimants(() => redis, { leaseMs: LEASE_MS, sets: ['redis.timeout=20s'] });
  readonly replicas: Claimant[] = [];
  readonly pending: Promise<unknown>[] = [];
  readonly #watch: NodeJS.Timeout;
  mostBelievers = 0;
  #started = 0;

  constructor() {
    this.#watch = setInterval(() => {
      for (const name of NODES) {
        const believers = this.claimants.all.filter((one) => one.believes(keyOf(name)));
        this.mostBelievers = Math.max(this.mostBelievers, believers.length);
      }
    }, 1);
  }

  /** A replica with a clock of its own, in the place of whoever was there. */
  async start(index: number): Promise<void> {
    const originMs = [0, 9_999_999, 77][index] as number;
    const [made] = await this.claimants.startAll([`${'ABC'[index]}${++this.#started}`], {
      originMs,
      endingMs: index * 5,
    });
    this.replicas[index] = made as Claimant;
  }

  async run(what: Step): Promise<void> {
    if (what.kind === 'pause') return new Promise((resolve) => setTimeout(resolve, what.ms));
    const one = this.replicas[what.replica] as Claimant;
    switch (what.kind) {
      case 'attach':
        if (!one.clock.frozen) this.pending.push(one.attach(what.node));
        return;
      case 'detach':
        if (!one.clock.frozen) this.pending.push(one.detach(what.node));
        return;
      case 'offer':
        if (!one.clock.frozen) this.pending.push(one.claims.offer(keyOf(what.node), one.clock.nowMs() + 100));
        return;
      case 'freeze':
        return one.freeze();
      case 'thaw':
        return one.thaw();
      case 'kill':
        one.kill();
        return this.start(what.replica);
      default:
        return what satisfies never;
    }
  }

  /** Everybody runs, and who holds a node that is not there has waited for it for long enough. */
  async quiet(): Promise<void> {
    for (const one of this.replicas) one.thaw();
    for (const name of NODES) {
      const key = keyOf(name);
      await until(() => {
        const holders = this.replicas.filter((one) => one.claims.holds(key));
        const wanted = this.replicas.some((one) => one.here.has(key));
        for (const one of holders) if (!one.here.has(key)) void one.letGo(key);
        return holders.length === (wanted ? 1 : 0) && holders.every((one) => one.here.has(key));
      });
    }
    await until(() => this.replicas.every((one) => one.claims.counts().moving === 0));
    // Who has just been woken hears a moment later that it has lost a node, and then ends its stream.
    await until(() => NODES.every((name) => this.isInOrder(keyOf(name))));
  }

  /** Streams are where claims are. */
  isInOrder(key: string): boolean {
    const holders = this.replicas.filter((one) => one.claims.holds(key)).map((one) => one.name);
    return isDeepStrictEqual(this.claimants.manager.at(key), holders);
  }

  async stop(): Promise<void> {
    clearInterval(this.#watch);
    await this.claimants.stop();
  }
}

describe('whatever happens to nodes and replicas while Redis is well', () => {
  it('at most one believes that it holds a node, and in the end exactly one does where it is wanted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        await redis.client().flushall();
        const history = new History();
        try {
          for (const index of [0, 1, 2]) await history.start(index);
          for (const what of steps) await history.run(what);
          await history.quiet();
          expect(history.mostBelievers).toBeLessThanOrEqual(1);
          expect(NODES.every((name) => history.isInOrder(keyOf(name)))).toBe(true);
        } finally {
          await history.stop();
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  }, 600_000);
});
