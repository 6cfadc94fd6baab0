import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fill } from '../../src/cli/warmup/fill.js';
import { createProgress } from '../../src/cli/warmup/progress.js';
import { runWarmup } from '../../src/cli/warmup.js';
import { systemClock } from '../../src/rpc/clock.js';
import { Code, OK_STATUS, type Status } from '../../src/rpc/status.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { configOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';

const REQUESTS = `warmup:
  rate: 1000
  requests:
    - { method: ListSchedulers, request: { hostname: daemon-a, ip: 127.0.0.2 } }
    - { method: GetScheduler, request: { hostname: sched-a, scheduler_cluster_id: 1, ip: 127.0.0.1 } }
    - { method: GetScheduler, request: { hostname: nobody, scheduler_cluster_id: 1, ip: 127.0.0.1 } }
    - { method: ListApplications, version: v1 }
`;

let manager: SimulatedManager;
let running: RunningGateway;

beforeEach(async () => {
  manager = await startSimulatedManager();
  running = await startGateway({ managers: [manager.address], sets: ['cache.sharing=exact'] });
});
afterEach(async () => {
  await running.gateway.stop();
  await manager.stop();
});

function run(
  over: { yaml?: string; timeoutMs?: number; json?: boolean; isTty?: boolean; target?: string } = {},
) {
  let text = '';
  const { yaml = REQUESTS, timeoutMs = 20_000, json = false, isTty = false, target = running.address } = over;
  const code = runWarmup({
    config: configOf(yaml),
    target,
    tls: { caCert: '', cert: '', key: '' },
    timeoutMs,
    json,
    isTty,
    stdout: { write: (part) => (text += part), columns: 60 },
  });
  return code.then((exit) => ({ exit, text }));
}

describe('manager-gateway warmup', () => {
  it('fills a running gateway, facts like "record not found" included, and ends with 0', async () => {
    const { exit, text } = await run();
    expect(text).toMatch(/^4 of 4 answers of 127\.0\.0\.1:\d+ are warm, in \d+\.\d s$/m);
    expect(exit).toBe(0);
    const before = manager.stats.callsTotal;
    expect((await run({ json: true })).exit).toBe(0);
    // Everything was a hit; only probes may have come.
    expect(manager.stats.callsByMethod['/manager.v2.Manager/ListSchedulers']).toBe(1);
    expect(manager.stats.callsTotal).toBeLessThan(before + 4);
  });

  it('waits for a manager that is late, and says in JSON how each question ended', async () => {
    await manager.stop();
    const running = run({ json: true });
    await manager.restart();
    const { exit, text } = await running;
    const said = JSON.parse(text);
    expect(said).toMatchObject({ total: 4, warm: 4, stale: 0, failed: 0 });
    expect(said.questions[1]).toEqual({
      method: 'GetScheduler',
      version: 'v2',
      request: { hostname: 'sched-a', scheduler_cluster_id: 1, ip: '127.0.0.1' },
      outcome: { kind: 'warm' },
    });
    expect(exit).toBe(0);
  });

  it('ends with 1 when some of it is not warm in time, and names it', async () => {
    await run({ yaml: REQUESTS.split('\n').slice(0, 4).join('\n') });
    await manager.stop();
    const { exit, text } = await run({ timeoutMs: 500 });
    expect(exit).toBe(1);
    expect(text).toMatch(
      /warmup\.requests\[1\] GetScheduler v2: (UNAVAILABLE manager-gateway: manager 127|DEADLINE_EXCEEDED)/,
    );
    expect(text).toMatch(/^1 of 4 answers of/m);
  });

  it('ends with 1 when there is no gateway', async () => {
    const { exit, text } = await run({ target: '127.0.0.1:1', timeoutMs: 500 });
    expect(exit).toBe(1);
    expect(text).toContain(
      'warmup.requests[0] ListSchedulers v2: UNAVAILABLE connect ECONNREFUSED 127.0.0.1:1',
    );
  });

  it('has nothing to do without questions', async () => {
    expect(await run({ yaml: '' })).toEqual({ exit: 0, text: 'nothing to ask: warmup.requests is empty\n' });
  });

  it('refuses to run where nothing would come of it', async () => {
    await expect(run({ target: 'no port here:x' })).rejects.toMatchObject({ code: 'config-invalid' });
    const config = configOf(REQUESTS);
    const nowhere = {
      config,
      target: undefined,
      tls: { caCert: '', cert: '', key: '' },
      timeoutMs: 1,
      json: false,
      isTty: false,
    };
    await expect(runWarmup({ ...nowhere, stdout: { write: () => undefined } })).rejects.toThrow(
      'found neither --target nor redis.addrs',
    );
  });
});

it('what the manager said is told where it is kept nowhere, and why if that is known', async () => {
  const question = { path: '/manager.Manager/ListBuckets', message: Buffer.alloc(0) };
  const clock = new ManualClock();
  const detailWith = async (trouble: string | undefined, status: Status): Promise<unknown> => {
    const outcomes = await fill({
      caller: { call: async () => ({ status, message: undefined, trailers: {} }) },
      redis: { has: async () => false, trouble },
      questions: [question],
      perSecond: Number.POSITIVE_INFINITY,
      requestTimeoutMs: 1_000,
      // Too late to ask again.
      deadlineMs: clock.nowMs() + 500,
      clock: { ...systemClock, nowMs: () => clock.nowMs() },
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    return outcomes[0];
  };
  const refused = { code: Code.UNIMPLEMENTED, message: 'unknown method ListBuckets' };
  expect(await detailWith(undefined, refused)).toEqual({
    kind: 'failed',
    detail: 'the manager has answered UNIMPLEMENTED unknown method ListBuckets, and that is not in Redis',
  });
  expect(await detailWith('store, timeout: timed out after 100 ms', OK_STATUS)).toEqual({
    kind: 'failed',
    detail: 'the manager has answered OK, and that is not in Redis (store, timeout: timed out after 100 ms)',
  });
});

describe('its progress', () => {
  it('is a bar in a terminal, never wider than it', () => {
    const written: string[] = [];
    const progress = createProgress({ write: (text) => written.push(text), columns: 60 }, true);
    progress.show({ total: 4, warm: 1, open: 2 }, 'ListSchedulers');
    progress.show({ total: 4, warm: 4, open: 0 }, 'a very long name of a method that is nowhere');
    progress.close();
    expect(written[0]).toBe('\r\u001b[2K[########......................] 1/4, 2 not yet  ListSched…');
    expect(written[1]?.length).toBeLessThanOrEqual(60 + '\r\u001b[2K'.length);
    expect(written[2]).toBe('\n');
  });

  it('is a line for each tenth elsewhere', () => {
    const written: string[] = [];
    const progress = createProgress({ write: (text) => written.push(text) }, false);
    for (let warm = 1; warm <= 100; warm++) progress.show({ total: 100, warm, open: 0 }, '');
    expect(written).toHaveLength(10);
    expect(written[0]).toBe('10 of 100 warm\n');
  });
});
