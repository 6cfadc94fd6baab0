import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { decodeResponse } from '../../src/route/proto.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';
import { samplesIn } from '../support/told.js';

const UPDATE = '/manager.v2.Manager/UpdateScheduler';

const registration = (over: object = {}): Buffer =>
  requestOf(UPDATE, {
    source_type: 'SCHEDULER_SOURCE',
    scheduler_cluster_id: '1',
    hostname: 'stateful-0',
    ip: '127.0.0.11',
    port: 8002,
    ...over,
  });

let dir: string;
let manager: SimulatedManager;
let gateway: GatewayProcess | undefined;
let caller: Caller | undefined;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dfmgw-write-'));
  manager = await startSimulatedManager();
});
afterEach(async () => {
  await kill();
  await manager.stop();
  rmSync(dir, { recursive: true });
});

async function kill(): Promise<void> {
  await caller?.close();
  gateway?.child.kill('SIGKILL');
  await gateway?.exited;
}

async function start(): Promise<{ gateway: GatewayProcess; caller: Caller; pending(): Promise<number> }> {
  const sets = [
    'server.listen=127.0.0.1:0',
    `managers.addrs=["${manager.address}"]`,
    'metrics.addr=127.0.0.1:0',
    'admin.enable=false',
    `snapshot.dir=${dir}`,
  ];
  gateway = runGateway(['serve', ...sets.flatMap((set) => ['--set', set])]);
  const { listen, metrics } = (await gateway.line({ event: 'started' })) as Record<string, string>;
  caller = await connectCaller(listen as string);
  return { gateway, caller, pending: () => pendingAt(metrics as string) };
}

async function pendingAt(metrics: string): Promise<number> {
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  return Object.values(samplesIn(text, 'registrations_pending'))[0] ?? Number.NaN;
}

it('a scheduler that comes back with a new address while the manager is dead is acknowledged, and registered later, whatever happens to the gateway', async () => {
  const before = await start();
  const first = await before.caller.call(UPDATE, registration());
  expect([first.code, first.trailers['x-dfmgw-write']]).toEqual([0, undefined]);
  await manager.stop();

  const moved = await before.caller.call(UPDATE, registration({ ip: '127.0.0.12' }));
  expect([moved.code, moved.trailers['x-dfmgw-write']]).toEqual([0, 'journaled']);
  expect(decodeResponse(UPDATE, moved.response as Buffer)).toEqual(
    decodeResponse(UPDATE, first.response as Buffer),
  );
  const stranger = await before.caller.call(UPDATE, registration({ hostname: 'stranger' }));
  expect([stranger.code, stranger.trailers['x-dfmgw-write']]).toEqual([14, undefined]);
  await kill();

  const after = await start();
  expect(after.gateway.lines.find(({ event }) => event === 'journal-loaded')).toMatchObject({
    known: 1,
    pending: 1,
  });
  expect(manager.record.findScheduler({ hostname: 'stateful-0', clusterId: 1, ip: '127.0.0.12' })).toBe(
    undefined,
  );
  expect(await after.pending()).toBe(1);
  await manager.restart();
  await after.gateway.line({ event: 'registration-replayed', outcome: 'applied' });
  expect(await after.pending()).toBe(0);
  const row = manager.record.findScheduler({ hostname: 'stateful-0', clusterId: 1, ip: '127.0.0.12' });
  expect(row).toMatchObject({ port: 8002, state: 'inactive' });
  expect(manager.record.findScheduler({ hostname: 'stranger', clusterId: 1, ip: '' })).toBe(undefined);
});
