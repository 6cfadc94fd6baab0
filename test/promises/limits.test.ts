import { once } from 'node:events';
import http2 from 'node:http2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../src/rpc/status.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';
import { until } from '../support/until.js';

/** No sibling's answer will do for it. */
const GET = '/manager.v2.Manager/GetScheduler';
const UPDATE = '/manager.v2.Manager/UpdateScheduler';
const PER_SECOND = 5;
const BURST = 10 * PER_SECOND;

let manager: SimulatedManager;
let running: RunningGateway;
let clock: ManualClock;
let greedy: Caller;
let other: Caller;
/** What a reload reads beside it. */
let reread: string[];

const get = (hostname: string): Buffer =>
  requestOf(GET, { hostname, ip: '127.0.0.9', scheduler_cluster_id: '1' });
const asked = async (caller: Caller, hostname: string): Promise<number> =>
  (await caller.call(GET, get(hostname))).code;
/** The codes, and how often each. */
async function codesOf(calls: readonly Promise<number>[]): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const code of await Promise.all(calls)) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
const times = <T>(count: number, one: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => one(i));

beforeEach(async () => {
  manager = await startSimulatedManager();
  manager.record.addScheduler({ hostname: 'known', ip: '127.0.0.9', clusterId: 1 });
  clock = new ManualClock();
  reread = [];
  running = await startGateway({
    managers: [manager.address],
    clock,
    reread: () => reread,
    sets: [
      `server.limits.asksPerSecond=${PER_SECOND}`,
      'cache.methods={ GetScheduler: { ttl: 1s, swr: 0s } }',
    ],
  });
  await running.seen(({ kind }) => kind === 'probe-finished');
  [greedy, other] = [await connectCaller(running.address), await connectCaller(running.address)];
});

afterEach(async () => {
  await Promise.all([greedy.close(), other.close()]);
  await running.gateway.stop();
  await manager.stop();
});

describe('a caller who asks more than memory can answer', () => {
  /** What the manager says of a row that it does not have. */
  const FACT = Code.INTERNAL;

  it('is told so, with the key of the limit, and nobody else notices', async () => {
    const codes = await codesOf(times(BURST + 20, (index) => asked(greedy, `random-${index}`)));
    expect(codes).toEqual({ [FACT]: BURST, [Code.RESOURCE_EXHAUSTED]: 20 });
    expect((await greedy.call(GET, get('one-more'))).message).toContain('server.limits.asksPerSecond');
    expect(await asked(other, 'somebody-else')).toBe(FACT);
    expect(running.events.filter(({ kind }) => kind === 'limit-reached')).toHaveLength(21);
  });

  it('may ask again as time goes on', async () => {
    await Promise.all(times(BURST, (index) => asked(greedy, `random-${index}`)));
    expect(await asked(greedy, 'too-soon')).toBe(Code.RESOURCE_EXHAUSTED);
    await clock.advanceAsync(1_000);
    const codes = await codesOf(times(10, (index) => asked(greedy, `later-${index}`)));
    expect(codes).toEqual({ [FACT]: PER_SECOND, [Code.RESOURCE_EXHAUSTED]: 10 - PER_SECOND });
  });

  it('has what is remembered all the same, fresh or the last good answer', async () => {
    expect(await asked(greedy, 'known')).toBe(Code.OK);
    await Promise.all(times(BURST, (index) => asked(greedy, `random-${index}`)));
    expect(await codesOf(times(200, () => asked(greedy, 'known')))).toEqual({ [Code.OK]: 200 });
    // Long expired, so that it would be asked for.
    await clock.advanceAsync(20_000);
    await Promise.all(times(BURST, (index) => asked(greedy, `again-${index}`)));
    const before = manager.stats.callsByMethod[GET];
    const { code, trailers } = await greedy.call(GET, get('known'));
    expect([code, trailers['x-dfmgw-cache']]).toEqual([Code.OK, 'stale']);
    expect(manager.stats.callsByMethod[GET]).toBe(before);
  });

  it('who writes too much is refused before anything is written', async () => {
    const row = requestOf(UPDATE, {
      source_type: 'SCHEDULER_SOURCE',
      hostname: 'seed-a',
      ip: '127.0.0.9',
      port: 8002,
      scheduler_cluster_id: '1',
    });
    const write = async (): Promise<number> => (await greedy.call(UPDATE, row)).code;
    const codes = await codesOf(times(BURST + 10, write));
    expect(codes[Code.RESOURCE_EXHAUSTED]).toBe(10);
    expect(manager.stats.callsByMethod[UPDATE]).toBe(BURST);
  });

  it('who sends writes that are none is refused as well: each makes all that is remembered void', async () => {
    const session = http2.connect(`http://${running.address}`);
    const empty = async (): Promise<number> => {
      const headers = { ':method': 'POST', ':path': UPDATE, 'content-type': 'application/grpc' };
      const [answer] = await once(session.request(headers, { endStream: true }), 'response');
      return Number(answer['grpc-status']);
    };
    const codes = await codesOf(times(BURST + 10, empty));
    session.destroy();
    expect(codes[Code.RESOURCE_EXHAUSTED]).toBe(10);
  });

  it('joins what is asked already at no cost', async () => {
    await Promise.all(times(BURST - 1, (index) => asked(greedy, `random-${index}`)));
    expect(await codesOf(times(50, () => asked(greedy, 'the-same')))).toEqual({ [FACT]: 50 });
  });

  it('is passed through in observe, which changes nothing', async () => {
    running.gateway.setMode('observe');
    const codes = await codesOf(times(BURST + 20, (index) => asked(greedy, `random-${index}`)));
    expect(codes).toEqual({ [FACT]: BURST + 20 });
  });
});

describe('hits go on', () => {
  const known = () => codesOf(times(50, () => asked(other, 'known')));
  const reloadWith = (...sets: string[]): void => {
    reread = sets;
    expect(running.gateway.reload().kind).toBe('read');
  };

  beforeEach(async () => {
    expect(await asked(other, 'known')).toBe(Code.OK);
  });

  it('where as many misses as managers.maxInFlight are under way and as many wait: the next is refused at once', async () => {
    reloadWith('managers.maxInFlight=2');
    manager.setFault({ kind: 'frozen' });
    const pending = times(4, (index) => asked(greedy, `random-${index}`));
    await until('two are under way', () => running.gateway.managers()[0]?.inFlight === 2);
    // No time passes.
    const { code, message } = await other.call(GET, get('one-more'));
    expect([code, message]).toEqual([
      Code.RESOURCE_EXHAUSTED,
      `manager-gateway: 2 calls in flight and 2 waiting for manager ${manager.address} (managers.maxInFlight)`,
    ]);
    expect(await known()).toEqual({ [Code.OK]: 50 });
    expect(running.events.filter(({ kind }) => kind === 'manager-overloaded')).toHaveLength(1);
    manager.clearFault('frozen');
    expect(await codesOf(pending)).toEqual({ [Code.INTERNAL]: 4 });
  });

  it('while memory is short: misses and writes are refused, and a question that expired has its last good answer', async () => {
    reloadWith('server.limits.memory=1');
    await clock.advanceAsync(1_000);
    await running.seen((event) => event.kind === 'limit-reached' && event.limit === 'memory');
    const { code, message } = await other.call(GET, get('one-more'));
    expect([code, message]).toEqual([
      Code.RESOURCE_EXHAUSTED,
      expect.stringContaining('1 are allowed (server.limits.memory)'),
    ]);
    const row = requestOf(UPDATE, { hostname: 'seed-a', ip: '127.0.0.9', port: 8002 });
    expect((await other.call(UPDATE, row)).code).toBe(Code.RESOURCE_EXHAUSTED);
    expect(await known()).toEqual({ [Code.OK]: 50 });
    reloadWith();
    await clock.advanceAsync(1_000);
    expect(await asked(other, 'one-more')).toBe(Code.INTERNAL);
  });
});
