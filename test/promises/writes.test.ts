import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Called, type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';

const GET = '/manager.v2.Manager/GetScheduler';
const UPDATE = '/manager.v2.Manager/UpdateScheduler';
const NODE = {
  source_type: 'SCHEDULER_SOURCE',
  hostname: 'sched-a',
  ip: '127.0.0.1',
  scheduler_cluster_id: '1',
};

let manager: SimulatedManager;
let running: RunningGateway;
let caller: Caller;

beforeEach(async () => {
  manager = await startSimulatedManager();
  running = await startGateway({ managers: [manager.address] });
  caller = await connectCaller(running.address);
});

afterEach(async () => {
  await caller.close();
  await running.gateway.stop();
  await manager.stop();
});

const get = (): Promise<Called> => caller.call(GET, requestOf(GET, NODE));
const sourceOf = ({ trailers }: Called): string | undefined => trailers['x-dfmgw-cache'];

describe('a write', () => {
  it('is heard of before its caller is: what he asks next is asked anew', async () => {
    await get();
    expect(sourceOf(await get())).toBe('hit');
    expect((await caller.call(UPDATE, requestOf(UPDATE, { ...NODE, port: 8002 }))).code).toBe(0);
    expect(sourceOf(await get())).toBe('miss');
    expect(sourceOf(await get())).toBe('hit');
  });

  it('that the manager refuses expires nothing', async () => {
    await get();
    const refused = await caller.call(UPDATE, requestOf(UPDATE, { ...NODE, port: 8002, ip: 'nonsense' }));
    expect(refused.code).toBe(3);
    expect(sourceOf(await get())).toBe('hit');
  });

  it('that may have been applied although nobody heard of it expires what it touches, which still serves', async () => {
    await get();
    await manager.stop();
    const lost = await caller.call(UPDATE, requestOf(UPDATE, { ...NODE, port: 8002 }));
    expect(lost.code).toBe(14);
    expect(sourceOf(await get())).toBe('stale');
  });
});
