import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Called, type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';
import {
  buildPreviousVersion,
  type PreviousVersion,
  whyNoPreviousVersion,
} from '../support/previous-version.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const GET = '/manager.v2.Manager/GetScheduler';
const APPLICATIONS = '/manager.v2.Manager/ListApplications';
const UPDATE = '/manager.v2.Manager/UpdateScheduler';
const MINUTE_S = 60;

/** Daemons of two places, and what a scheduler asks. */
const KNOWN: readonly (readonly [string, Buffer])[] = [
  ...Array.from(
    { length: 20 },
    (_, n) =>
      [LIST, requestOf(LIST, { hostname: `daemon-${n}`, ip: `127.0.1.${n}`, idc: `idc-${n % 2}` })] as const,
  ),
  [GET, requestOf(GET, { hostname: 'sched-a', scheduler_cluster_id: '1', ip: '127.0.0.1' })],
  [APPLICATIONS, requestOf(APPLICATIONS, { hostname: 'sched-a', ip: '127.0.0.1' })],
];

/** A scheduler that comes back with another address. */
const registration = (ip: string): Buffer =>
  requestOf(UPDATE, {
    source_type: 'SCHEDULER_SOURCE',
    scheduler_cluster_id: '1',
    hostname: 'stateful-0',
    ip,
    port: 8002,
  });
const rowAt = (ip: string) => manager.record.findScheduler({ hostname: 'stateful-0', clusterId: 1, ip });

type Version = 'before' | 'this';
type Running = { readonly process: GatewayProcess; readonly caller: Caller; stop(): Promise<void> };

const why = whyNoPreviousVersion();
if (why !== undefined) process.stdout.write(`upgrade and rollback are not tried: ${why}\n`);

let previous: PreviousVersion;
let manager: SimulatedManager;
const running = new Set<Running>();

/** Where it can be tried, it must be. */
const trying = describe.skipIf(why !== undefined);

async function start(version: Version, sets: readonly string[]): Promise<Running> {
  const all = [
    'server.listen=127.0.0.1:0',
    'metrics.addr=127.0.0.1:0',
    'admin.enable=false',
    `managers.addrs=["${manager.address}"]`,
    'managers.probe.interval=500ms',
    ...['ListSchedulers', 'GetScheduler', 'ListApplications'].map((name) => `cache.methods.${name}.ttl=1s`),
    'cache.methods.ListSchedulers.exactTtl=1s',
    ...sets,
  ];
  const args = ['serve', '--config', '/dev/null', ...all.flatMap((set) => ['--set', set])];
  const child = version === 'this' ? runGateway(args) : runGateway(args, {}, previous.main);
  const { listen } = await child.line({ event: 'started' });
  const caller = await connectCaller(String(listen));
  const one: Running = {
    process: child,
    caller,
    async stop() {
      running.delete(one);
      await caller.close();
      child.child.kill('SIGTERM');
      expect([await child.exited, child.stderr()]).toEqual([0, '']);
      // What a version does not understand it says; an error of its own is one too many.
      expect(child.lines.filter(({ event }) => event === 'internal-error')).toEqual([]);
    },
  };
  running.add(one);
  return one;
}

const askAll = (by: Caller): Promise<Called[]> =>
  Promise.all(KNOWN.map(([path, message]) => by.call(path, message)));
const told = (all: readonly Called[]) =>
  all.map(({ code, response }) => [code, response?.toString('base64')]);
const howOf = (all: readonly Called[]) => new Set(all.map(({ trailers }) => trailers['x-dfmgw-cache']));

/** What the manager itself says, once its caches have let go. */
async function truth(): Promise<ReturnType<typeof told>> {
  const direct = await connectCaller(manager.address);
  const said = told(await askAll(direct));
  await direct.close();
  return said;
}

/** `before`: what it said until now, which its own caches may say for a moment more. */
async function truthIsKnown(
  { caller }: Running,
  before?: ReturnType<typeof told>,
): Promise<ReturnType<typeof told>> {
  let said = await truth();
  await until(
    'it says what the manager says',
    async () => {
      said = await truth();
      if (JSON.stringify(said) === JSON.stringify(before)) return false;
      return JSON.stringify(told(await askAll(caller))) === JSON.stringify(said);
    },
    20_000,
  );
  return said;
}

beforeAll(() => {
  if (why === undefined) previous = buildPreviousVersion();
}, 240_000);
afterAll(() => previous?.remove());
beforeEach(async () => {
  // Its caches let go after half a second; it never tidies up.
  manager = await startSimulatedManager({ timeFactor: 10 * MINUTE_S, sweepIntervalMs: 3_600_000 });
});
afterEach(async () => {
  for (const { process: child, caller } of running) {
    await caller.close();
    child.child.kill('SIGKILL');
    await child.exited;
  }
  running.clear();
  await manager.stop();
});

trying('from the version before to this one, and back, with the manager dead at each step,', () => {
  it('the directory keeps answers and registrations', async () => {
    const dir = temporaryDirectory();
    const sets = [`snapshot.dir=${dir}`];
    const before = await start('before', sets);
    expect((await before.caller.call(UPDATE, registration('127.0.0.11'))).code).toBe(0);
    const first = await truthIsKnown(before);
    await manager.stop();
    await journaled(before, '127.0.0.12');
    await before.stop();

    const upgraded = await start('this', sets);
    await knowsJournal(upgraded);
    const after = await askAll(upgraded.caller);
    expect(told(after)).toEqual(first);
    expect(howOf(after).has('miss')).toBe(false);
    await isMadeUpFor(upgraded, '127.0.0.12');
    // The world goes on under the new version.
    manager.record.addSchedulers(3);
    const second = await truthIsKnown(upgraded, first);
    await manager.stop();
    await journaled(upgraded, '127.0.0.13');
    await upgraded.stop();

    const back = await start('before', sets);
    await knowsJournal(back);
    expect(told(await askAll(back.caller))).toEqual(second);
    await isMadeUpFor(back, '127.0.0.13');
    await back.stop();

    const again = await start('this', sets);
    expect(told(await askAll(again.caller)).slice(0, 20)).toEqual((await truthIsKnown(again)).slice(0, 20));
    await again.stop();
    expect(readdirSync(dir).filter((name) => /damaged|unused/.test(name))).toEqual([]);
  }, 120_000);

  describe('with Redis and no directory', () => {
    let redis: RedisProcess;
    let sets: readonly string[];
    beforeEach(async () => {
      redis = await startRedis();
      sets = [
        'snapshot.dir=',
        'fleet.id=f1',
        `redis.addrs=["${redis.address}"]`,
        'redis.secret=between-versions',
        'redis.timeout=2s',
      ];
    });
    afterEach(() => redis.stop());
    const withRedis = async (version: Version, more: readonly string[] = []): Promise<Running> => {
      const one = await start(version, [...sets, ...more]);
      await one.process.line({ event: 'redis-connected' });
      return one;
    };

    it('what one version laid there the other gives, and nothing older', async () => {
      const before = await withRedis('before');
      const first = await truthIsKnown(before);
      await manager.stop();
      await before.stop();

      const upgraded = await withRedis('this');
      expect(told(await askAll(upgraded.caller))).toEqual(first);
      await manager.restart();
      manager.record.addSchedulers(3);
      const second = await truthIsKnown(upgraded, first);
      await manager.stop();
      await upgraded.stop();

      const back = await withRedis('before');
      // That version may turn away who asks first of all after its start, manager and Redis not yet found; he asks again.
      await until('it gives what was laid there', async () => {
        const codes = told(await askAll(back.caller)).map(([code]) => code);
        return codes.every((code) => code === 0);
      });
      expect(told(await askAll(back.caller))).toEqual(second);
      await back.stop();
    }, 120_000);

    it('side by side, as in a rollout, a write through one version counts for the other', async () => {
      // What is fresh for so long is asked for again only because of the write.
      const long = ['cache.methods.GetScheduler.ttl=1h', 'cache.negativeTtl=1h'];
      const pair = await Promise.all([withRedis('before', long), withRedis('this', long)]);
      for (const [n, [writer, reader]] of [pair, pair.toReversed()].entries()) {
        if (writer === undefined || reader === undefined) throw new Error('there are two');
        const who = { hostname: `side-${n}`, scheduler_cluster_id: '1', ip: `127.0.7.${n}` };
        const row = (): Promise<Called> => reader.caller.call(GET, requestOf(GET, who));
        expect((await row()).message).toBe('record not found');
        expect((await row()).trailers['x-dfmgw-cache']).toBe('hit');
        const write = requestOf(UPDATE, { source_type: 'SCHEDULER_SOURCE', ...who, port: 8002 });
        expect((await writer.caller.call(UPDATE, write)).code).toBe(0);
        await until('the other one has its row', async () => (await row()).code === 0);
      }
      for (const one of pair) await one.stop();
    }, 120_000);
  });
});

async function journaled({ caller }: Running, ip: string): Promise<void> {
  const written = await caller.call(UPDATE, registration(ip));
  expect([written.code, written.trailers['x-dfmgw-write']]).toEqual([0, 'journaled']);
}

async function knowsJournal({ process: child }: Running): Promise<void> {
  expect(await child.line({ event: 'journal-loaded' })).toMatchObject({ known: 1, pending: 1 });
}

async function isMadeUpFor({ process: child }: Running, ip: string): Promise<void> {
  expect(rowAt(ip)).toBe(undefined);
  await manager.restart();
  await child.line({ event: 'registration-replayed', outcome: 'applied' });
  expect(rowAt(ip)).toMatchObject({ ip, port: 8002 });
}
