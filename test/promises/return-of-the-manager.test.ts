import { afterEach, beforeEach, expect, it } from 'vitest';
import { createManagerRecord } from '../../src/simulator/manager/memory-record.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Called, type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const GET = '/manager.v2.Manager/GetScheduler';
/** Ten thousand: test/hard/numbers. */
const DAEMONS = Number(process.env.DAEMONS ?? 2_000);
const RATE = 50;
const HOUR_MS = 3_600_000;
const TICK_MS = 100;
const TICKS_PER_SECOND = 1_000 / TICK_MS;

let manager: SimulatedManager;
let clock: ManualClock;
let running: RunningGateway;
let caller: Caller;

beforeEach(async () => {
  const record = createManagerRecord();
  record.addSchedulers(20, { clusterId: record.addCluster({ name: 'cluster-1' }) });
  manager = await startSimulatedManager({ record });
  clock = new ManualClock();
  running = await startGateway({
    managers: [manager.address],
    clock,
    sets: [
      // Each daemon has a key of its own.
      'cache.sharing=exact',
      `warmup.rate=${RATE}`,
      // An hour passes at a stroke, in which nobody is pinged.
      'server.ping.interval=1000h',
      'managers.probe.interval=1000h',
    ],
  });
  caller = await connectCaller(running.address);
});

afterEach(async () => {
  await caller.close();
  await running.gateway.stop();
  await manager.stop();
});

const poll = (daemon: number): Promise<Called> =>
  caller.call(LIST, requestOf(LIST, { hostname: `daemon-${daemon}`, ip: '127.0.0.9' }));

const asked = (): number => manager.stats.callsByMethod[LIST] ?? 0;

/** Daemons `from` to `to` ask, a batch at a time: the manager takes so many calls at once. */
async function pollAll(from: number, to: number): Promise<Called[]> {
  const answers: Called[] = [];
  for (let first = from; first < to; first += 50) {
    const batch = Array.from({ length: Math.min(50, to - first) }, (_, n) => poll(first + n));
    answers.push(...(await Promise.all(batch)));
  }
  return answers;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await clock.advanceAsync(50);
}

const healthy = (): boolean => running.gateway.managers().some(({ state }) => state === 'healthy');
const failed = (): boolean => running.gateway.managers().every(({ state }) => state === 'failed');

it(`a manager that comes back to ${DAEMONS} expired answers gets warmup.rate calls a second for 10 s, of whatever kind, and every daemon is answered`, async () => {
  await until(healthy);
  const before = await pollAll(0, DAEMONS);
  expect(new Set(before.map(({ code }) => code))).toEqual(new Set([0]));
  expect(asked()).toBe(DAEMONS);

  await manager.stop();
  clock.advance(HOUR_MS);
  const away = await Promise.all([poll(0), poll(1), poll(2)]);
  expect(away.map(({ trailers }) => trailers['x-dfmgw-cache'])).toEqual(['stale', 'stale', 'stale']);
  await until(failed);

  // From the moment on when it listens, known to be back or not: probes and the roll call, the warm-up and the callers.
  await manager.restart();
  const [atReturn, lists] = [manager.stats.callsTotal, asked()];
  const perTick: number[] = [];
  const share = DAEMONS / (10 * TICKS_PER_SECOND);
  let returned = 0;
  let stale = 0;
  for (let tick = 0; returned < 10 * TICKS_PER_SECOND; tick++) {
    const seenBefore = manager.stats.callsTotal;
    const from = (tick * share) % DAEMONS;
    for (const [n, { code, response, trailers }] of (await pollAll(from, from + share)).entries()) {
      expect([from + n, code, response?.equals(before[from + n]?.response ?? Buffer.alloc(0))]).toEqual([
        from + n,
        0,
        true,
      ]);
      stale += Number(trailers['x-dfmgw-cache'] === 'stale');
    }
    await clock.advanceAsync(TICK_MS);
    perTick.push(manager.stats.callsTotal - seenBefore);
    if (healthy()) returned++;
  }

  const seconds = perTick.map((_, from) => sum(perTick.slice(from, from + TICKS_PER_SECOND)));
  expect(Math.max(...seconds)).toBeLessThanOrEqual(RATE);
  expect(perTick.reduce((total, calls) => total + calls)).toBe(manager.stats.callsTotal - atReturn);
  // Every row of the roll was called.
  const roll = manager
    .calls()
    .filter(({ path, requestBytes }) => path === GET && requestBytes.includes('scheduler-'));
  expect(roll).toHaveLength(20);
  // The ramp is used, not sat out.
  expect(asked() - lists).toBeGreaterThan(RATE * 10 * 0.6);
  expect(stale).toBeGreaterThan(DAEMONS - RATE * 10);
}, 300_000);

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
