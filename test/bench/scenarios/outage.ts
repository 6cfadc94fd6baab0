import { listenTo } from '../generators/caller.js';
import { stop } from '../processes.js';
import type { Measured } from '../results.js';
import { percentile } from '../statistics.js';
import { sleep, type World } from '../world.js';
import type { Scenario } from './scenario.js';

const OUTAGE_MS = 30_000;
const CALM_MS = 4_000;
const AFTER_MS = 8_000;

/** What the caller tells of each call. */
interface Told {
  readonly kind: 'client' | 'pass';
  readonly atMs: number;
  readonly ok: boolean;
  readonly ms: number;
}

/**
 * 30 s without manager, while 50 clients a second come, each over a connection of its own, and 10 calls a second that only
 * the manager can answer. `killed`: its process is gone; `frozen`: it is there, and says nothing. The gateway's answers are
 * older than `ttl` and `swr` within it, so that it asks before it answers with what it has.
 */
export function outage(kind: 'killed' | 'frozen', targets: readonly string[], repetitions: number): Scenario {
  const name = `outage-${kind}`;
  return {
    ...{ name, targets, repetitions },
    settings: ['cache.methods.ListSchedulers.ttl=1s', 'cache.methods.ListSchedulers.swr=1s'],
    async measure(world) {
      const told: Told[] = [];
      const args = ['outage', '-addr', `127.0.0.1:${world.running.port}`, '-deadline', '10s'];
      const clients = listenTo(args, world.cores.generator);
      const listening = (async () => {
        for await (const line of clients.lines) told.push(JSON.parse(line) as Told);
      })();
      await sleep(CALM_MS);
      const goneAtMs = Date.now();
      if (kind === 'killed') await world.killManager();
      else world.freezeManager();
      await sleep(OUTAGE_MS);
      const backAtMs = Date.now();
      await comesBack(world, kind);
      await sleep(AFTER_MS);
      clients.child.stdin?.end();
      await listening;
      await stop(clients);
      return { [name]: judged(told, goneAtMs, backAtMs) };
    },
  };
}

async function comesBack(world: World, kind: 'killed' | 'frozen'): Promise<void> {
  if (kind === 'killed') await world.restartManager();
  else world.thawManager();
}

/** Who was answered during the outage, how fast, and when the last call failed that needs the manager. */
export function judged(told: readonly Told[], goneAtMs: number, backAtMs: number): Measured {
  const during = told.filter(({ kind, atMs }) => kind === 'client' && atMs >= goneAtMs && atMs < backAtMs);
  const answered = during.filter(({ ok }) => ok);
  const failedAfter = told.filter(({ kind, ok, atMs }) => kind === 'pass' && !ok && atMs >= backAtMs);
  const lastFailureMs = failedAfter.reduce((last, { atMs, ms }) => Math.max(last, atMs + ms), backAtMs);
  return {
    ...{ clients: during.length, answeredShare: answered.length / during.length },
    ...(answered.length > 0 && {
      p99Ms: percentile(
        answered.map(({ ms }) => ms),
        0.99,
      ),
    }),
    recoveryMs: lastFailureMs - backAtMs,
  };
}
