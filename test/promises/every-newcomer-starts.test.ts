import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as later } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../src/simulator/fleet/fleet.js';
import { type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';
import { type ManagerProcess, startManagerProcess } from '../support/manager-process.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const ASKED = {
  source_type: 'PEER_SOURCE',
  hostname: 'daemon',
  ip: '127.0.0.9',
  idc: 'idc-a',
  location: 'eu',
};
/** Two thousand: test/hard/numbers. */
const DAEMONS = Number(process.env.NEWCOMERS ?? 300);
const WITHIN_MS = DAEMONS * 5;
/** This process is all of the daemons, so it gives each five times the patience of a real one; they come as fast as they come. */
const TIME_FACTOR = 0.2;

let dir: string;
let manager: ManagerProcess;
let redis: RedisProcess;
let gateway: GatewayProcess | undefined;
let caller: Caller | undefined;
let fleet: Fleet | undefined;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dfmgw-newcomers-'));
  [manager, redis] = await Promise.all([startManagerProcess(), startRedis()]);
});
afterEach(async () => {
  await fleet?.stop();
  await caller?.close();
  gateway?.child.kill('SIGKILL');
  await gateway?.exited;
  await Promise.all([manager.kill(), redis.stop()]);
  rmSync(dir, { recursive: true });
});

/** The address for callers, and that of the metrics. */
async function startGateway(sets: readonly string[]): Promise<{ listen: string; metrics: string }> {
  const all = [
    'server.listen=127.0.0.1:0',
    `managers.addrs=["${manager.address}"]`,
    'metrics.addr=127.0.0.1:0',
    'admin.enable=false',
    'fleet.id=f1',
    `redis.addrs=["${redis.address}"]`,
    'redis.timeout=1s',
    ...sets,
  ];
  gateway = runGateway(['serve', ...all.flatMap((set) => ['--set', set])]);
  const { listen, metrics } = (await gateway.line({ event: 'started' })) as Record<string, string>;
  return { listen: listen as string, metrics: metrics as string };
}

async function endGateway(): Promise<void> {
  await caller?.close();
  gateway?.child.kill('SIGTERM');
  expect(await gateway?.exited).toBe(0);
}

/** One daemon of one place asks, once; then nobody does any more. */
async function askOnce(listen: string): Promise<Buffer | undefined> {
  await gateway?.line({ event: 'address-state-changed', to: 'healthy' });
  caller = await connectCaller(listen);
  const { code, response } = await caller.call(LIST, requestOf(LIST, ASKED));
  expect(code).toBe(0);
  return response;
}

/** As the Rust client starts: it exits if its health check, or one of its three lists, brings nothing of use. */
async function allStart(listen: string): Promise<void> {
  fleet = startFleet({
    managerAddress: listen,
    daemons: 0,
    goDaemons: 0,
    schedulers: 0,
    seedPeers: 0,
    timeFactor: TIME_FACTOR,
  });
  fleet.join(DAEMONS, { overMs: WITHIN_MS * TIME_FACTOR, ownPlaces: true });
  const left = (): number => {
    const { daemonExits, calls, failuresByCode } = fleet?.stats() ?? expect.fail();
    expect([daemonExits.cold, calls.cold.empty, failuresByCode]).toEqual([0, 0, {}]);
    // Health, and three lists.
    return DAEMONS * 4 - calls.cold.answered;
  };
  while (left() > 0) await later(100);
  expect(fleet.stats().daemonsWithoutSchedulers).toBe(0);
}

async function answersElsewhere(metrics: string): Promise<number> {
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  return Number(/answers_by_source_total\{[^}]*source="elsewhere"[^}]*\} (\d+)/.exec(text)?.[1]);
}

describe(`${DAEMONS} daemons with names, addresses, idcs and locations that nobody has seen start within ${WITHIN_MS / 1_000} s`, () => {
  it('with the manager and Redis dead and the gateway started again, from its snapshot alone', async () => {
    const sets = [`snapshot.dir=${dir}`];
    const list = await askOnce((await startGateway(sets)).listen);
    await Promise.all([manager.kill(), redis.kill()]);
    await endGateway();
    const { listen, metrics } = await startGateway(sets);
    await allStart(listen);
    expect(await answersElsewhere(metrics)).toBe(DAEMONS * 3);
    caller = await connectCaller(listen);
    const { response, trailers } = await caller.call(LIST, requestOf(LIST, { ...ASKED, idc: 'new' }));
    expect([response, trailers['x-dfmgw-via']]).toEqual([list, 'elsewhere']);
  }, 240_000);

  it('with the manager dead and a gateway started without any disk, from Redis alone', async () => {
    const sets = ['snapshot.dir='];
    await askOnce((await startGateway(sets)).listen);
    const client = redis.client();
    while ((await client.keys('*answer*')).length < 2) await later(10);
    await manager.kill();
    await endGateway();
    const { listen, metrics } = await startGateway(sets);
    await allStart(listen);
    expect(await answersElsewhere(metrics)).toBe(DAEMONS * 3);
  }, 240_000);
});
