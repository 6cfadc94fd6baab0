import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Called, type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const DAEMONS = 10_000;
const RATE = 50;
const HOUR_MS = 3_600_000;
const TICK_MS = 100;
const TICKS_PER_SECOND = 1_000 / TICK_MS;

let manager: SimulatedManager;
let clock: ManualClock;
let running: RunningGateway;
let caller: Caller;

beforeEach(async () => {
  manager = await startSimulatedManager();
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

it('a manager that comes back to 10,000 expired answers is asked at warmup.rate for 10 s, and every daemon is answered', async () => {
  await until(healthy);
  const before = await pollAll(0, DAEMONS);
  expect(new Set(before.map(({ code }) => code))).toEqual(new Set([0]));
  expect(asked()).toBe(DAEMONS);

  await manager.stop();
  clock.advance(HOUR_MS);
  const away = await Promise.all([poll(0), poll(1), poll(2)]);
  expect(away.map(({ trailers }) => trailers['x-dfmgw-cache'])).toEqual(['stale', 'stale', 'stale']);
  await until(failed);

  await manager.restart();
  await until(healthy);
  const atReturn = asked();

  const perTick: number[] = [];
  const answers: Called[] = [];
  for (let tick = 0; tick < 10 * TICKS_PER_SECOND; tick++) {
    const seenBefore = asked();
    const share = DAEMONS / (10 * TICKS_PER_SECOND);
    answers.push(...(await pollAll(tick * share, (tick + 1) * share)));
    await clock.advanceAsync(TICK_MS);
    perTick.push(asked() - seenBefore);
  }

  expect(answers).toHaveLength(DAEMONS);
  for (const [daemon, { code, response }] of answers.entries())
    expect([daemon, code, response?.equals(before[daemon]?.response ?? Buffer.alloc(0))]).toEqual([
      daemon,
      0,
      true,
    ]);
  const seconds = perTick.map((_, from) => sum(perTick.slice(from, from + TICKS_PER_SECOND)));
  expect(Math.max(...seconds)).toBeLessThanOrEqual(RATE);
  // The ramp is used, not sat out.
  expect(asked() - atReturn).toBeGreaterThan(RATE * 10 * 0.6);
  expect(asked() - atReturn).toBeLessThanOrEqual(RATE * 10);
  const stale = answers.filter(({ trailers }) => trailers['x-dfmgw-cache'] === 'stale').length;
  expect(stale).toBeGreaterThan(DAEMONS * 0.9);
}, 120_000);

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
