import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Called, type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { type ManagerProcess, startManagerProcess } from '../support/manager-process.js';
import { ManualClock } from '../support/manual-clock.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const GET = '/manager.v2.Manager/GetScheduler';
const APPLICATIONS = '/manager.v2.Manager/ListApplications';
const RESPONSE_TIMER_MS = 500;

/** Three reads that callers have made before. */
const KNOWN: [string, Buffer][] = [
  [LIST, requestOf(LIST, { hostname: 'daemon-x', ip: '127.0.0.2' })],
  [GET, requestOf(GET, { hostname: 'sched-a', scheduler_cluster_id: '1', ip: '127.0.0.1' })],
  [APPLICATIONS, requestOf(APPLICATIONS, { hostname: 'sched-a', ip: '127.0.0.1' })],
];

/** Hours pass here at a stroke: nobody pings or probes meanwhile, or all of it would time out at that stroke. */
const QUIET = ['server.ping.interval=1000h', 'managers.probe.interval=1000h'];

let clock: ManualClock;
let running: RunningGateway;
let caller: Caller;
let warm: Called[];

async function warmUp(address: string, sets: string[] = QUIET): Promise<void> {
  clock = new ManualClock();
  running = await startGateway({ managers: [address], clock, sets });
  caller = await connectCaller(running.address);
  warm = [];
  for (const [path, request] of KNOWN) warm.push(await caller.call(path, request));
  expect(warm.map(({ code, trailers }) => [code, trailers['x-dfmgw-cache']])).toEqual(
    KNOWN.map(() => [0, 'miss']),
  );
}

afterEach(async () => {
  await caller.close();
  await running.gateway.stop();
});

/** Every known caller asks; the timer rings; each has the answer of before, stale, with its true age. */
async function expectStale(ageMs: number): Promise<void> {
  const asked = KNOWN.map(([path, request]) => caller.call(path, request));
  await whenWaiting();
  clock.advance(RESPONSE_TIMER_MS);
  const answers = await Promise.all(asked);
  for (const [index, answer] of answers.entries()) {
    expect([answer.code, answer.trailers['x-dfmgw-cache']]).toEqual([0, 'stale']);
    expect(answer.response).toEqual(warm[index]?.response);
    const age = Number(answer.trailers['x-dfmgw-age-ms']);
    expect(age).toBeGreaterThanOrEqual(ageMs);
    expect(age).toBeLessThanOrEqual(ageMs + RESPONSE_TIMER_MS);
  }
}

/** The calls have arrived: each has been answered, or holds a response timer. Probes and pings have timers, too, longer ones. */
async function whenWaiting(): Promise<void> {
  const arrived = (): number => running.events.filter(({ kind }) => kind === 'call-answered').length;
  const before = arrived();
  while (
    (clock.nextTimerInMs ?? Number.POSITIVE_INFINITY) > RESPONSE_TIMER_MS &&
    arrived() < before + KNOWN.length
  ) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  // All three came in one burst on one connection; a full round of I/O brings the rest of it.
  for (let round = 0; round < 20; round++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

describe('with the manager in a process of its own', () => {
  let manager: ManagerProcess;

  beforeEach(async () => {
    manager = await startManagerProcess();
  });
  afterEach(() => manager.kill());

  it.each(['killed', 'frozen'] as const)(
    '%s, known callers have their answer at the response timer, every time',
    async (how) => {
      await warmUp(manager.address);
      clock.advance(300_000);
      if (how === 'killed') await manager.kill();
      else manager.freeze();
      for (let time = 0; time < 5; time++) {
        await expectStale(300_000 + time * (RESPONSE_TIMER_MS + 5_000));
        clock.advance(5_000);
      }
      if (how === 'frozen') manager.thaw();
    },
  );

  it('killed and back, a caller has a new answer with its first call after the breaker tries again', async () => {
    await warmUp(manager.address, [
      'breaker.volumeThreshold=2',
      'breaker.resetTimeout=200ms',
      'retry.maxAttempts=1',
      ...QUIET,
    ]);
    await manager.kill();
    const request = (n: number): Buffer =>
      requestOf(GET, { hostname: `new-${n}`, scheduler_cluster_id: '1', ip: '127.0.0.1' });
    const opened = running.seen((event) => event.kind === 'breaker-changed' && event.to === 'open');
    let failures = 0;
    for (let n = 0; !running.events.some(({ kind }) => kind === 'breaker-changed'); n++) {
      const { code, message } = await caller.call(GET, request(n));
      expect(code).toBe(14);
      expect(message).not.toBe('');
      failures++;
    }
    await opened;
    expect(failures).toBeGreaterThanOrEqual(2);
    await manager.restart();
    await running.seen((event) => event.kind === 'breaker-changed' && event.to === 'half-open');
    expect((await caller.call(GET, request(1_000))).message).toBe('record not found');
    expect(running.events.filter((e) => e.kind === 'breaker-changed').map((e) => e.to)).toEqual([
      'open',
      'half-open',
      'closed',
    ]);
  });

  it('gone from the start, says what is wrong and since when, as UNAVAILABLE, and health as NOT_SERVING', async () => {
    await manager.kill();
    clock = new ManualClock();
    running = await startGateway({ managers: [manager.address], clock, sets: ['retry.maxAttempts=1'] });
    caller = await connectCaller(running.address);
    await running.seen(({ kind }) => kind === 'probe-finished');
    const { code, message } = await caller.call(...(KNOWN[0] as [string, Buffer]));
    expect(code).toBe(14);
    expect(message).toMatch(
      /^manager-gateway: manager 127\.0\.0\.1:\d+ has not answered since \d\d:\d\d:\d\dZ \(connection refused\)$/,
    );
    const health = await caller.call('/grpc.health.v1.Health/Check', Buffer.alloc(0));
    expect(health.response).toEqual(Buffer.from([8, 2]));
  });
});

describe('with the manager half dead', () => {
  let manager: SimulatedManager;

  beforeEach(async () => {
    manager = await startSimulatedManager();
  });
  afterEach(() => manager.stop());

  it.each([
    ['answering after 9 s', { kind: 'slow', delayMs: 9_000 }],
    ['asking for less', { kind: 'rate-limited' }],
  ] as const)('%s, known callers have their answer at the response timer, every time', async (_, fault) => {
    await warmUp(manager.address);
    clock.advance(300_000);
    manager.setFault(fault);
    for (let time = 0; time < 5; time++) {
      await expectStale(300_000 + time * (RESPONSE_TIMER_MS + 5_000));
      clock.advance(5_000);
    }
  });

  it('answering INTERNAL "dial tcp … connection refused", known callers have their answer, every time', async () => {
    await warmUp(manager.address, [...QUIET, 'breaker.volumeThreshold=1000', 'retry.maxAttempts=1']);
    // What it has in its caches a real manager answers without its database, too: here they are empty.
    manager.setFault({ kind: 'database-dead' });
    manager.record.redis.clear();
    await manager.restart();
    const unknown = requestOf(GET, { hostname: 'nobody', scheduler_cluster_id: '1', ip: '127.0.0.1' });
    await until(async () => (await caller.call(GET, unknown)).message.startsWith('dial tcp'));
    const asked = running.events.length;
    clock.advance(300_000);
    for (let time = 0; time < 5; time++) {
      await expectStale(300_000 + time * (RESPONSE_TIMER_MS + 5_000));
      clock.advance(5_000);
    }
    const codes = running.events
      .slice(asked)
      .flatMap((event) => (event.kind === 'manager-answered' ? [event.code] : []));
    expect(codes.length).toBeGreaterThanOrEqual(5);
    expect(new Set(codes)).toEqual(new Set([13]));
  });

  it('stays SERVING while the database is dead and something is remembered', async () => {
    await warmUp(manager.address, []);
    manager.setFault({ kind: 'database-dead' });
    // v2.5 hides a dead database behind its query cache for half a minute; a new process has none.
    await manager.restart();
    const failed = (): boolean =>
      running.events.some((event) => event.kind === 'probe-finished' && event.detail.includes('dial tcp'));
    await until(async () => {
      await clock.advanceAsync(1_000);
      return failed();
    });
    const health = await caller.call('/grpc.health.v1.Health/Check', Buffer.alloc(0));
    expect(health.response).toEqual(Buffer.from([8, 1]));
  });

  it('a first caller that cancels takes nothing from the 99 others', async () => {
    clock = new ManualClock();
    running = await startGateway({ managers: [manager.address], clock });
    caller = await connectCaller(running.address);
    const others = await Promise.all(Array.from({ length: 99 }, () => connectCaller(running.address)));
    await running.seen(({ kind }) => kind === 'probe-finished');
    manager.setFault({ kind: 'slow', delayMs: 1_000 });
    const [path, request] = KNOWN[1] as [string, Buffer];
    const first = caller.begin(path, request);
    const atManager = (): number =>
      manager.calls().filter((call) => call.path === path && call.requestBytes.equals(request)).length;
    await until(() => Promise.resolve(atManager() === 1));
    const answers = others.map((other) => other.call(path, request));
    await running.seen(() => running.events.filter(({ kind }) => kind === 'call-coalesced').length >= 99);
    first.cancel();
    for (const answer of await Promise.all(answers))
      expect([answer.code, answer.trailers['x-dfmgw-via']]).toEqual([0, 'coalesced']);
    expect(atManager()).toBe(1);
    await first.called.catch(() => undefined);
    await Promise.all(others.map((other) => other.close()));
  });
});
