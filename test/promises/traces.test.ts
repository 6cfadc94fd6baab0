import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { Collector } from '../support/otlp-collector.js';
import { startGateway } from '../support/running-gateway.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const GET = '/manager.v2.Manager/GetScheduler';
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';

let manager: SimulatedManager;
let collector: Collector;
beforeEach(async () => {
  manager = await startSimulatedManager();
  collector = await Collector.start();
});
afterEach(async () => {
  await collector.stop();
  await manager.stop();
});

const start = (sets: readonly string[]) => startGateway({ managers: [manager.address], sets });
const seenByManager = (path: string) =>
  manager
    .calls()
    .filter((call) => call.path === path)
    .map((call) => call.metadata.traceparent);

describe('traces', () => {
  it('show a call and its stages as spans of the trace that the caller began, up to the manager', async () => {
    const { gateway, address } = await start([`tracing.endpoint=${collector.endpoint}`]);
    const caller = await connectCaller(address, { traceparent: `${PARENT}-01`, tracestate: 'vendor=1' });
    await caller.call(LIST, requestOf(LIST, { hostname: 'a', ip: '127.0.0.2' }));
    await caller.call(LIST, requestOf(LIST, { hostname: 'a', ip: '127.0.0.2' }));
    await caller.close();
    await gateway.stop();

    const [asked, hit] = collector.named('manager.v2.Manager/ListSchedulers');
    expect(asked?.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(asked?.parentSpanId).toBe('b7ad6b7169203331');
    const answers = [asked, hit].map(
      (span) => span?.attributes.find(({ key }) => key === 'dfmgw.answer')?.value.stringValue,
    );
    expect(answers).toEqual(['miss', 'hit']);
    const stages = collector.spans
      .filter((span) => span.parentSpanId !== 'b7ad6b7169203331')
      .map(({ name }) => name);
    for (const stage of ['recall', 'single-flight', 'remember', 'retry', 'breaker', 'attempt']) {
      expect(stages).toContain(stage);
    }
    const [attempt] = collector.named('attempt');
    expect(seenByManager(LIST)).toEqual([`00-${asked?.traceId}-${attempt?.spanId}-01`]);
  });

  it('leave the context of a caller who does not trace as it is', async () => {
    const { gateway, address } = await start([`tracing.endpoint=${collector.endpoint}`, 'tracing.sample=1']);
    const caller = await connectCaller(address, { traceparent: `${PARENT}-00` });
    await caller.call(GET, requestOf(GET, { hostname: 'x', ip: '127.0.0.2', scheduler_cluster_id: '1' }));
    await caller.close();
    await gateway.stop();
    expect(seenByManager(GET).filter((one) => one !== undefined)).toEqual([`${PARENT}-00`]);
    expect(collector.spans).toEqual([]);
  });

  it('trace the share of calls that is asked for where the caller has not decided', async () => {
    const { gateway, address } = await start([`tracing.endpoint=${collector.endpoint}`, 'tracing.sample=0']);
    const caller = await connectCaller(address);
    for (let turn = 0; turn < 20; turn++)
      await caller.call(LIST, requestOf(LIST, { hostname: 'a', ip: '127.0.0.2' }));
    await caller.close();
    await gateway.stop();
    expect(collector.spans).toEqual([]);
  });

  it('cost no call anything when the receiver is away, and say so once', async () => {
    collector.failing = true;
    const { gateway, address, events } = await start([
      `tracing.endpoint=${collector.endpoint}`,
      'tracing.sample=1',
    ]);
    const caller = await connectCaller(address);
    const { code } = await caller.call(LIST, requestOf(LIST, { hostname: 'a', ip: '127.0.0.2' }));
    await caller.close();
    await gateway.stop();
    expect(code).toBe(0);
    const told = events.filter((event) => event.kind === 'internal-error' && event.where === 'sending spans');
    expect(told).toHaveLength(1);
  });

  it('are off by default, and the context passes through untouched', async () => {
    const { gateway, address } = await start([]);
    const caller = await connectCaller(address, { traceparent: `${PARENT}-01`, tracestate: 'vendor=1' });
    await caller.call(LIST, requestOf(LIST, { hostname: 'a', ip: '127.0.0.2' }));
    await caller.close();
    await gateway.stop();
    expect(seenByManager(LIST)).toEqual([`${PARENT}-01`]);
  });
});
