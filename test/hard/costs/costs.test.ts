import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MEASURED_COSTS } from '../../../src/cli/plan/measured-costs.js';
import { type Caller, connectCaller } from '../../support/caller.js';
import { requestOf } from '../../support/data-path.js';
import { type GatewayProcess, runGateway } from '../../support/gateway-process.js';
import { type ManagerProcess, startManagerProcess } from '../../support/manager-process.js';

// What `manager-gateway plan` counts with, measured again. Machines differ: held to a factor, and printed.
const LIST = '/manager.v2.Manager/ListSchedulers';
const HEALTH = '/grpc.health.v1.Health/Check';
const CONNECTIONS = 10;
const STREAMS = 10;
const SCHEDULERS = 10;
const KNOWN = requestOf(LIST, { hostname: 'daemon', ip: '127.0.0.2', idc: 'a', location: 'b' });

let manager: ManagerProcess;
let gateway: GatewayProcess;
let address: string;
let metrics: string;
let callers: readonly Caller[];

beforeAll(async () => {
  manager = await startManagerProcess(['--recorded-nodes', 'false', '--schedulers', String(SCHEDULERS)]);
  const sets = [
    'server.listen=127.0.0.1:0',
    'metrics.addr=127.0.0.1:0',
    'admin.enable=false',
    'snapshot.dir=',
    'cache.sharing=exact',
    `managers.addrs=["${manager.address}"]`,
  ];
  gateway = runGateway(['serve', '--config', '/dev/null', ...sets.flatMap((set) => ['--set', set])]);
  const started = await gateway.line({ event: 'started' });
  [address, metrics] = [String(started.listen), String(started.metrics)];
}, 60_000);
afterAll(async () => {
  for (const caller of callers ?? []) await caller.close();
  gateway.child.kill('SIGKILL');
  await gateway.exited;
  await manager.kill();
});

it('a process without callers', async () => {
  // What is resident settles after the start; the least of a few looks.
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 5; look++) {
    await wait(300);
    least = Math.min(least, (await sample()).residentBytes);
  }
  like('process', least, 2);
});

it('a call answered from memory', async () => {
  callers = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectCaller(address)));
  await ask(5_000, () => KNOWN);
  const spent = await cpuSeconds(() => ask(20_000, () => KNOWN));
  like('hit', (spent / 20_000) * 1e6, 4);
});

it('a start, and its end', async () => {
  const each = 200;
  const spent = await cpuSeconds(() =>
    Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        for (let start = 0; start < each; start++) {
          const caller = await connectCaller(address);
          await caller.call(HEALTH, Buffer.alloc(0));
          await caller.call(LIST, KNOWN);
          await caller.close();
        }
      }),
    ),
  );
  like('start', (spent / (each * CONNECTIONS)) * 1e6, 4);
});

it('a call for which the manager is asked, and the answer that is kept', async () => {
  const strangers = 10_000;
  const [first] = callers;
  const list = (await first?.call(LIST, KNOWN))?.response?.length ?? 0;
  const before = await sample();
  const spent = await cpuSeconds(() =>
    ask(strangers, (number) => requestOf(LIST, { hostname: `daemon-${number}`, ip: '127.0.0.3' })),
  );
  const kept = ((await sample()).residentBytes - before.residentBytes) / strangers;
  like('miss', (spent / strangers) * 1e6, 4);
  like('answer', kept - list, 3);
});

/** `count` calls over all connections and streams; `request` of the number of the call. */
async function ask(count: number, request: (number: number) => Buffer): Promise<void> {
  let next = 0;
  const one = async (caller: Caller): Promise<void> => {
    for (let number = next++; number < count; number = next++) {
      const { code } = await caller.call(LIST, request(number));
      expect(code).toBe(0);
    }
  };
  await Promise.all(callers.flatMap((caller) => Array.from({ length: STREAMS }, () => one(caller))));
}

async function cpuSeconds(work: () => Promise<unknown>): Promise<number> {
  const before = (await sample()).cpuSeconds;
  await work();
  return (await sample()).cpuSeconds - before;
}

async function sample(): Promise<{ cpuSeconds: number; residentBytes: number }> {
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  const value = (name: string): number =>
    Number(new RegExp(`^dragonfly_manager_gateway_${name} ([0-9.e+]+)$`, 'm').exec(text)?.[1]);
  return {
    cpuSeconds: value('process_cpu_seconds_total'),
    residentBytes: value('process_resident_memory_bytes'),
  };
}

function like(cost: keyof typeof MEASURED_COSTS, measured: number, factor: number): void {
  const { value, unit, what } = MEASURED_COSTS[cost];
  process.stdout.write(`${what}: ${measured.toFixed(0)} ${unit}, planned with ${value}\n`);
  expect(measured).toBeGreaterThan(value / factor);
  expect(measured).toBeLessThan(value * factor);
}
