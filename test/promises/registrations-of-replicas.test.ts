import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Caller, connectCaller } from '../support/caller.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { registering } from '../support/registrations-bench.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const UPDATE = '/manager.v2.Manager/UpdateScheduler';
const DELETE = '/manager.v2.Manager/DeleteSeedPeer';
const CHILD = fileURLToPath(new URL('../support/acknowledging-process.mjs', import.meta.url));
/** Ten: test/hard/numbers. */
const MOMENTS = Number(process.env.MOMENTS ?? 4);
/** Each moment costs the start of a process, which a busy machine takes its time for. */
const PROCESSES_MS = 90_000;

let redis: RedisProcess;
let manager: SimulatedManager;
let running: Replica[];

interface Replica {
  readonly gateway: GatewayProcess;
  readonly caller: Caller;
  kill(): Promise<void>;
}

beforeEach(async () => {
  redis = await startRedis();
  manager = await startSimulatedManager();
  running = [];
});
afterEach(async () => {
  for (const replica of running) await replica.kill();
  await manager.stop();
  await redis.stop();
});

async function start(dir: string): Promise<Replica> {
  const sets = [
    'server.listen=127.0.0.1:0',
    `managers.addrs=["${manager.address}"]`,
    'metrics.enable=false',
    'admin.enable=false',
    'fleet.id=f1',
    `redis.addrs=["${redis.address}"]`,
    'redis.timeout=5s',
    `snapshot.dir=${dir}`,
  ];
  const gateway = runGateway(['serve', ...sets.flatMap((set) => ['--set', set])]);
  const { listen } = (await gateway.line({ event: 'started' })) as Record<string, string>;
  const caller = await connectCaller(listen as string);
  let killed: Promise<void> | undefined;
  const kill = async (): Promise<void> => {
    await caller.close();
    gateway.child.kill('SIGKILL');
    await gateway.exited;
  };
  const replica = {
    gateway,
    caller,
    kill: () => {
      killed ??= kill();
      return killed;
    },
  };
  running.push(replica);
  return replica;
}

const updates = (): number => manager.calls().filter(({ path }) => path === UPDATE).length;

it('what a gateway acknowledged before it was killed and its disk lost is registered once by the others', async () => {
  const dir = temporaryDirectory();
  const [a, b, c] = [await start(dir), await start(''), await start('')];
  expect((await a.caller.call(UPDATE, registering('scheduler').message)).code).toBe(0);
  await manager.stop();
  const moved = registering('scheduler', { ip: '127.0.0.9' }).message;
  expect((await a.caller.call(UPDATE, moved)).trailers['x-dfmgw-write']).toBe('journaled');
  await a.kill();
  rmSync(dir, { recursive: true });
  // The node is known by who has never seen it, too.
  expect((await b.caller.call(UPDATE, moved)).trailers['x-dfmgw-write']).toBe('journaled');
  manager.forgetCalls();
  await manager.restart();
  await Promise.race(
    [b, c].map(({ gateway }) => gateway.line({ event: 'registration-replayed', outcome: 'applied' })),
  );
  expect(manager.record.findScheduler({ hostname: 'n', clusterId: 1, ip: '127.0.0.9' })).toMatchObject({
    port: 8002,
  });
  await pendingGone();
  expect(updates()).toBe(1);
});

it('a node that was deleted through one gateway is not brought back by another that has it in its journal', async () => {
  const SEED = '/manager.v2.Manager/UpdateSeedPeer';
  const dir = temporaryDirectory();
  const [a, b] = [await start(dir), await start('')];
  const { message } = registering('seed-peer', { type: 'super' });
  expect((await a.caller.call(SEED, message)).code).toBe(0);
  await manager.stop();
  expect((await a.caller.call(SEED, message)).trailers['x-dfmgw-write']).toBe('journaled');
  await a.kill();
  await manager.restart();
  const deletion = { source_type: 'SEED_PEER_SOURCE', hostname: 'n', seed_peer_cluster_id: '1' };
  const { requestOf } = await import('../support/data-path.js');
  const until = performance.now() + 20_000;
  let code = 14;
  while (code === 14 && performance.now() < until)
    ({ code } = await b.caller.call(DELETE, requestOf(DELETE, deletion)));
  expect(code).toBe(0);
  manager.forgetCalls();
  const again = await start(dir);
  expect(again.gateway.lines.find(({ event }) => event === 'journal-loaded')).toMatchObject({ pending: 1 });
  await pendingGone();
  // A live node says so by asking for schedulers, which is what the making up for waits for.
  const LIST = '/manager.v2.Manager/ListSchedulers';
  await again.caller.call(
    LIST,
    requestOf(LIST, { source_type: 'SEED_PEER_SOURCE', hostname: 'n', ip: '127.0.0.1' }),
  );
  await again.kill();
  const third = await start(dir);
  expect(third.gateway.lines.find(({ event }) => event === 'journal-loaded')).toMatchObject({ pending: 0 });
  expect(manager.calls().some(({ path }) => path === SEED)).toBe(false);
  expect(manager.record.findSeedPeer({ hostname: 'n', clusterId: 1, ip: '127.0.0.1' })).toBe(undefined);
});

it(
  `killed at any of ${MOMENTS} moments, a gateway with no disk has lost nothing that it acknowledged`,
  async () => {
    const client = redis.client();
    const acknowledged = new Set<number>();
    for (let time = 0; time < MOMENTS; time++) {
      const child = spawn(process.execPath, [CHILD, redis.address, String(time * 1_000_000)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
      const wanted = 1 + Math.floor(Math.random() * 40);
      let heard = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged.add(Number(line));
        if (++heard === wanted) child.kill('SIGKILL');
      }
      expect((await exited)[1]).toBe('SIGKILL');
    }
    const pending = await client.hkeys('dfmgw:1:{f1}:registrations:pending');
    const there = new Set(pending.map((node) => Number(JSON.parse(node)[3].slice('node-'.length))));
    expect([...acknowledged].filter((n) => !there.has(n))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThanOrEqual(MOMENTS);
  },
  PROCESSES_MS,
);

async function pendingGone(): Promise<void> {
  const client = redis.client();
  while ((await client.hlen('dfmgw:1:{f1}:registrations:pending')) > 0)
    await new Promise((resolve) => setTimeout(resolve, 20));
}
