import { afterEach, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Called, type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';

/** A thousand: test/hard/numbers. */
const CALLERS = Number(process.env.CALLERS ?? 200);
const ROUND_MS = 5_000;
const ROUNDS = 60_000 / ROUND_MS;
const LIST = '/manager.v2.Manager/ListSchedulers';

let manager: SimulatedManager;
let running: RunningGateway;
let callers: Caller[] = [];

afterEach(async () => {
  await Promise.all(callers.map((caller) => caller.close()));
  await running.gateway.stop();
  await manager.stop();
});

it.each([1, 2, 4])(
  `${CALLERS} callers asking the same thing for 60 s at a TTL of 30 s are 3 calls and %i connections at the manager`,
  async (channels) => {
    manager = await startSimulatedManager();
    const clock = new ManualClock();
    running = await startGateway({
      managers: [manager.address],
      clock,
      sets: [`managers.channelsPerAddr=${channels}`],
    });
    await running.seen(({ kind }) => kind === 'probe-finished');
    callers = await Promise.all(Array.from({ length: CALLERS }, () => connectCaller(running.address)));
    const request = requestOf(LIST, { hostname: 'seed-a', ip: '127.0.0.9', scheduler_cluster_id: '1' });

    const answers: Called[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      answers.push(...(await Promise.all(callers.map((caller) => caller.call(LIST, request)))));
      await clock.advanceAsync(ROUND_MS);
    }

    expect(answers).toHaveLength(CALLERS * ROUNDS);
    expect(answers.filter(({ code }) => code !== 0)).toEqual([]);
    expect(manager.stats.callsByMethod[LIST]).toBeGreaterThanOrEqual(2);
    expect(manager.stats.callsByMethod[LIST]).toBeLessThanOrEqual(3);
    expect(manager.stats.connectionsTotal).toBe(channels);
    const others = Object.keys(manager.stats.callsByMethod).filter((path) => path !== LIST);
    expect(others).toEqual(['/manager.v2.Manager/GetScheduler']);
  },
  120_000,
);
