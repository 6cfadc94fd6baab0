import { describe, expect, it } from 'vitest';
import type { Watched } from '../../src/cache/onlooker.js';
import type { Read } from '../../src/rpc/read.js';
import { Code } from '../../src/rpc/status.js';
import { seededRandom } from '../../src/simulator/manager/random.js';
import { type Bench, bench, responseOf, turn } from '../support/data-path.js';
import { type Asked, ended, ok } from '../support/scripted-upstream.js';
import { LIST, searching, type World } from '../support/searcher-replies.js';

// No second attempts, and no breaker: what only asking can show is not found out by looking on.
const CONFIG = 'retry: { maxAttempts: 1 }\nbreaker: { volumeThreshold: 100000 }';
const GET = '/manager.v2.Manager/GetScheduler';
/** A hundred: test/hard/numbers. */
const HISTORIES = Number(process.env.ONLOOKERS ?? 25);
const STEPS = 60;

const CLUSTERS: World = [
  { id: 1, name: 'c1', scopes: {}, isDefault: false, schedulers: 2 },
  { id: 2, name: 'c2', scopes: { idc: 'a' }, isDefault: true, schedulers: 1 },
];
const [FIRST = CLUSTERS[0] as World[number], ...OTHERS] = CLUSTERS;
const WORLDS: readonly World[] = [
  CLUSTERS,
  [{ ...FIRST, scopes: { cidrs: ['10.0.0.0/30'] } }, ...OTHERS],
  [{ ...FIRST, scopes: { hostnames: ['^node-1'] } }, ...OTHERS],
  CLUSTERS.map((cluster) => ({ ...cluster, schedulers: 0 })),
];
const AWAY = ended(Code.UNAVAILABLE, 'connection refused');

const daemon = (n: number, over: object = {}) =>
  [LIST, { ...DAEMON, hostname: `node-${n}`, ip: `10.0.0.${n}`, ...over }] as const;
const DAEMON = { source_type: 'PEER_SOURCE', idc: 'a' };
const QUESTIONS = [
  ...[1, 2, 3, 4, 5].map((n) => daemon(n)),
  daemon(6, { idc: 'b' }),
  daemon(7, { scheduler_cluster_id: '1' }),
  daemon(8, { scheduler_cluster_id: '1' }),
  [GET, { hostname: 's', scheduler_cluster_id: '1' }],
  ['/manager.v2.Manager/ListApplications', { hostname: 'node-1', ip: '10.0.0.1' }],
] as const;

type Counts = Record<string, number>;

/** One gateway that answers and one that looks on, with the same callers, the same manager and the same time. */
class Pair {
  readonly answering = bench(CONFIG);
  readonly observing = bench(CONFIG, { mode: () => 'observe' });
  readonly answered: Counts = {};
  world: World = CLUSTERS;
  away = false;
  #asked = 0;
  #watched: { readonly watched: Watched; readonly read: Read; readonly askedAtMs: number }[] = [];

  ask([path, fields]: readonly [string, object]): void {
    const count = (what: string): void => {
      this.answered[what] = (this.answered[what] ?? 0) + 1;
    };
    this.answering.path.answerRead(this.answering.read(path, fields)).then(
      ({ source, via = 'own' }) => count(`${path} ${source} ${source === 'miss' ? 'own' : via}`),
      () => count(`${path} miss own`),
    );
    const read = this.observing.read(path, fields);
    const askedAtMs = this.observing.clock.nowMs();
    this.#watched.push({ watched: this.observing.path.watch(read), read, askedAtMs });
  }

  /** The manager says to everybody who waits for it what is so now. */
  async say(): Promise<void> {
    const { clock } = this.observing;
    for (const { watched, read, askedAtMs } of this.#watched.splice(0)) {
      const request = { ...read, path: read.question.path } as never as Asked['request'];
      watched.saw({ reply: this.#reply(request), askedAtMs, answeredAtMs: clock.nowMs(), manager: '' });
      watched.ended();
    }
    // A caller may ask once more when what came was not for him.
    for (let quiet = 0; quiet < 3; ) {
      await turn();
      const asked = this.answering.upstream.asked.slice(this.#asked);
      this.#asked += asked.length;
      for (const one of asked) one.answer(this.#reply(one.request));
      quiet = asked.length === 0 ? quiet + 1 : 0;
    }
  }

  async pass(ms: number): Promise<void> {
    await this.answering.clock.advanceAsync(ms);
    await this.observing.clock.advanceAsync(ms);
  }

  async both(act: (one: Bench) => void): Promise<void> {
    for (const one of [this.answering, this.observing]) act(one);
    await turn();
  }

  get wouldHave(): Counts {
    const counts: Counts = {};
    for (const { method, answer, source } of this.observing.of('would-have-answered')) {
      const what = `/${method} ${answer} ${source}`;
      counts[what] = (counts[what] ?? 0) + 1;
    }
    return counts;
  }

  #reply(request: Asked['request']) {
    if (this.away) return AWAY;
    if (request.path === LIST) return searching(() => this.world)(request);
    if (request.path === GET) return ok(responseOf(GET, { hostname: 's', scheduler_cluster_id: 1 }));
    return ended(Code.NOT_FOUND, 'no application');
  }
}

async function live(seed: number): Promise<Pair> {
  const random = seededRandom(seed);
  const oneOf = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  const pair = new Pair();
  for (let step = 0; step < STEPS; step++) {
    for (let callers = Math.floor(random() * 4); callers > 0; callers--) pair.ask(oneOf(QUESTIONS));
    await turn();
    // So long at the most that nobody waits in vain: that is another test.
    await pair.pass(oneOf([0, 1, 100, 499, 500, 1_000, 2_000]));
    if (random() < 0.3) continue;
    await pair.say();
    await pair.pass(oneOf([0, 1_000, 10_000, 20_000, 40_000, 100_000, 400_000]));
    const happens = random();
    if (happens < 0.1) pair.away = !pair.away;
    else if (happens < 0.2) pair.world = oneOf(WORLDS);
    else if (happens < 0.25) await pair.both(({ path }) => path.written(undefined));
    else if (happens < 0.3)
      await pair.both(({ path }) => path.written({ updates: ['schedulers:*'], deletes: [] }));
  }
  await pair.say();
  return pair;
}

describe('observe', () => {
  it(`counts what answer answers, by kind and by whose it is: ${HISTORIES} histories of callers who come together`, async () => {
    const all: Counts = {};
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const pair = await live(seed);
      expect([seed, pair.wouldHave]).toEqual([seed, pair.answered]);
      for (const [what, count] of Object.entries(pair.answered)) all[what] = (all[what] ?? 0) + count;
    }
    // All there is has been counted.
    for (const what of [
      'hit own',
      'hit shared',
      'stale own',
      'stale shared',
      'stale sibling',
      'stale elsewhere',
      'miss own',
    ])
      expect(all[`${LIST} ${what}`], what).toBeGreaterThan(0);
  }, 300_000);
});
