import { afterEach, describe, expect, it } from 'vitest';
import { startScriptedManager } from '../src/simulator/manager/scripted-manager.js';
import { startSimulatedManager } from '../src/simulator/manager/simulated-manager.js';
import { type Caller, connectCaller } from './support/caller.js';
import { requestOf, responseOf } from './support/data-path.js';
import { ManualClock } from './support/manual-clock.js';
import { type RunningGateway, startGateway } from './support/running-gateway.js';

const CHECK = '/grpc.health.v1.Health/Check';

let running: RunningGateway;
let callers: Caller[] = [];

afterEach(async () => {
  await Promise.all(callers.map((caller) => caller.close()));
  callers = [];
  await running.gateway.stop();
});

async function connect(): Promise<Caller> {
  const caller = await connectCaller(running.address);
  callers.push(caller);
  return caller;
}

describe('health', () => {
  it('counts with the code that the caller got', async () => {
    running = await startGateway({ managers: ['127.0.0.1:1'] });
    const called = await (await connect()).call(CHECK, requestOf(CHECK, { service: 'no.such' }));
    expect(called.code).toBe(5);
    expect(await running.seen(({ kind }) => kind === 'call-answered')).toMatchObject({ code: 5 });
  });
});

describe('readiness', () => {
  it('says that a manager cannot be resolved, not for ever that it is being looked up', async () => {
    running = await startGateway({ managers: ['manager.invalid:65003'] });
    await running.seen(({ kind }) => kind === 'resolve-failed');
    const { host, port } = running.bound.metrics as { host: string; port: number };
    const ready = await fetch(`http://${host}:${port}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('cannot be resolved')]);
  });
});

describe('an error of the gateway itself', () => {
  it('is told once, with the method and not the words of the caller', async () => {
    running = await startGateway({ managers: ['127.0.0.1:1'] });
    Object.defineProperty(running.gateway.readiness, 'serving', {
      get() {
        throw new Error('broken');
      },
    });
    // About one service: what can be told at once is tried at once, and told of if it fails, before its handler is asked.
    const about = requestOf(CHECK, { service: 'manager.v2.Manager' });
    const called = await (await connect()).call(CHECK, about);
    expect([called.code, called.message]).toEqual([14, 'manager-gateway: internal error; see its log']);
    const told = running.events.filter(({ kind }) => kind === 'internal-error');
    expect(told).toEqual([expect.objectContaining({ where: 'grpc.health.v1.Health/Check' })]);
  });
});

describe('drain', () => {
  it('waits for callers only: an asking that nobody waits for any more is cut', async () => {
    const clock = new ManualClock();
    const manager = await startSimulatedManager();
    running = await startGateway({
      managers: [manager.address],
      clock,
      sets: ['managers.requestTimeout=1h'],
    });
    await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'healthy');
    manager.setFault({ kind: 'frozen' });
    const caller = await connect();
    const path = '/manager.v2.Manager/ListApplications';
    const asking = caller.begin(path, requestOf(path, { hostname: 'h', ip: '127.0.0.1' }));
    while (!manager.calls().some((call) => call.path === path))
      await new Promise((resolve) => setImmediate(resolve));
    asking.cancel();
    await asking.called.catch(() => undefined);
    await caller.close();
    // The clock stands still: whoever waits for the deadline of the asking waits for ever.
    expect(await running.gateway.drain()).toEqual({ clean: true });
    await manager.stop();
  });
});

describe('a switch from bypass to answer', () => {
  it('makes void what was asked for while a write from before it was still under way', async () => {
    const [get, update] = ['/manager.v2.Manager/GetScheduler', '/manager.v2.Manager/UpdateScheduler'];
    const node = { hostname: 's', ip: '127.0.0.1', scheduler_cluster_id: '1' };
    let apply = (): void => undefined;
    const applied = new Promise<void>((resolve) => {
      apply = resolve;
    });
    let idc = 'before';
    const manager = await startScriptedManager({
      async answer({ path }) {
        if (path !== update) return { messages: [responseOf(get, { ...node, idc })] };
        await applied;
        idc = 'after';
        return { messages: [responseOf(update, node)] };
      },
    });
    running = await startGateway({ managers: [manager.address], sets: ['mode=bypass'] });
    const caller = await connect();
    const writing = caller.call(update, requestOf(update, node));
    while (!manager.calls().some(({ path }) => path === update))
      await new Promise((resolve) => setImmediate(resolve));
    running.gateway.setMode('answer');
    await caller.call(get, requestOf(get, node));
    apply();
    await writing;
    const read = await caller.call(get, requestOf(get, node));
    expect(read.response).toEqual(responseOf(get, { ...node, idc: 'after' }));
    await manager.stop();
  });
});
