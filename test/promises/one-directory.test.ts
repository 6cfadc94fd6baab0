import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Caller, connectCaller } from '../support/caller.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';
import { registering } from '../support/registrations-bench.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const UPDATE = '/manager.v2.Manager/UpdateScheduler';

let manager: SimulatedManager;
let running: { gateway: GatewayProcess; caller: Caller }[];

beforeEach(async () => {
  manager = await startSimulatedManager();
  running = [];
});
afterEach(async () => {
  await killAll();
  await manager.stop();
});

async function killAll(): Promise<void> {
  for (const { gateway, caller } of running.splice(0)) {
    await caller.close();
    gateway.child.kill('SIGKILL');
    await gateway.exited;
  }
}

async function start(dir: string): Promise<{ gateway: GatewayProcess; caller: Caller }> {
  const sets = [
    'server.listen=127.0.0.1:0',
    `managers.addrs=["${manager.address}"]`,
    'metrics.enable=false',
    'admin.enable=false',
    `snapshot.dir=${dir}`,
  ];
  const gateway = runGateway(['serve', ...sets.flatMap((set) => ['--set', set])]);
  const { listen } = (await gateway.line({ event: 'started' })) as Record<string, string>;
  const one = { gateway, caller: await connectCaller(listen as string) };
  running.push(one);
  return one;
}

it('a second gateway on the same directory loses nothing of what the first acknowledges, and kill -9 of both leaves it to the next', async () => {
  const dir = temporaryDirectory();
  const register = (caller: Caller, hostname: string) =>
    caller.call(UPDATE, registering('scheduler', { hostname }).message);
  const first = await start(dir);
  const hostnames = ['a', 'b', 'c', 'd'];
  for (const hostname of hostnames) expect((await register(first.caller, hostname)).code).toBe(0);
  const second = await start(dir);
  const told = await second.gateway.line({ event: 'directory-unusable' });
  expect(told.msg).toContain(`another gateway uses it: process ${first.gateway.child.pid}`);
  expect((await register(second.caller, 'e')).code).toBe(0);
  await manager.stop();
  for (const hostname of hostnames)
    expect((await register(first.caller, hostname)).trailers['x-dfmgw-write']).toBe('journaled');
  // It has no place to write it down, and says so to its caller instead of acknowledging it.
  expect((await register(second.caller, 'e')).code).toBe(14);
  await killAll();

  const { gateway } = await start(dir);
  expect(gateway.lines.filter(({ event }) => event === 'directory-unusable')).toEqual([]);
  expect(await gateway.line({ event: 'journal-loaded' })).toMatchObject({ known: 4, pending: 4 });
});
