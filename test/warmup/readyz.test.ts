import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ScriptedAnswer,
  type ScriptedManager,
  startScriptedManager,
} from '../../src/simulator/manager/scripted-manager.js';
import { connectCaller } from '../support/caller.js';
import { requestOf, responseOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const GET = '/manager.v2.Manager/GetScheduler';
const APPLICATIONS = '/manager.v2.Manager/ListApplications';
const CHECK = '/grpc.health.v1.Health/Check';
const SERVING = Buffer.from([8, 1]);
const ANSWERS: Record<string, ScriptedAnswer> = {
  [LIST]: { messages: [responseOf(LIST, { schedulers: [{ hostname: 's', scheduler_cluster_id: 1 }] })] },
  [APPLICATIONS]: { messages: [responseOf(APPLICATIONS, { applications: [] })] },
};
/** Two questions, asked at the start: one after the other, as the manual clock goes on. */
const REQUESTS = `warmup.requests=${JSON.stringify([
  { method: 'ListSchedulers', request: { hostname: 'd', ip: '127.0.0.9' } },
  { method: 'ListApplications', request: { hostname: 'd', ip: '127.0.0.9' } },
])}`;

let clock: ManualClock;
let manager: ScriptedManager;
let running: RunningGateway | undefined;
/** Until then the manager answers nothing but its probes. */
let answers: Promise<void>;
let answer: () => void;

function holdAnswers(): void {
  answers = new Promise((resolve) => {
    answer = resolve;
  });
}

function startManager(port = 0): Promise<ScriptedManager> {
  return startScriptedManager({
    port,
    async answer({ path }) {
      if (path === GET) return { status: { code: 13, message: 'record not found' } };
      await answers;
      return ANSWERS[path] ?? {};
    },
  });
}

beforeEach(async () => {
  clock = new ManualClock();
  holdAnswers();
  manager = await startManager();
});
afterEach(async () => {
  answer();
  await running?.gateway.stop();
  running = undefined;
  await manager.stop();
});

async function start(...sets: readonly string[]): Promise<RunningGateway> {
  running = await startGateway({
    managers: [manager.address],
    clock,
    sets: ['server.ping.interval=1000h', 'managers.requestTimeout=1h', ...sets],
  });
  return running;
}

const state = (to: string) => (): boolean =>
  running?.gateway.managers().every((address) => address.state === to) === true;

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await clock.advanceAsync(10);
}

async function readyz({ bound }: RunningGateway): Promise<readonly [number, string]> {
  const answered = await fetch(`http://127.0.0.1:${bound.metrics?.port}/readyz`);
  return [answered.status, (await answered.text()).trim()];
}

async function health({ address }: RunningGateway): Promise<Buffer | undefined> {
  const caller = await connectCaller(address);
  const { response } = await caller.call(CHECK, Buffer.alloc(0));
  await caller.close();
  return response;
}

const asked = (): number => manager.calls().filter(({ path }) => path !== GET).length;

describe('GET /readyz', () => {
  it('is not ready before a manager has answered, nor while the warm-up runs, and ready when it is warm', async () => {
    const gateway = await start(REQUESTS);
    expect((await readyz(gateway))[0]).toBe(503);
    await until(state('healthy'));
    await until(() => asked() === 2);
    expect(await readyz(gateway)).toEqual([503, 'warming up: 0 of 2 answers have been refreshed']);
    // Who calls is answered all the same: daemons exit on a health that does not say so.
    expect(await health(gateway)).toEqual(SERVING);
    answer();
    await until(async () => (await readyz(gateway))[0] === 200);
    expect(gateway.events.find(({ kind }) => kind === 'warmup-finished')).toMatchObject({ refreshed: 2 });
    expect(clock.nowMs()).toBeLessThan(60_000);
  });

  it('is ready when warmup.timeout has passed, however cold it is', async () => {
    const gateway = await start(REQUESTS, 'warmup.timeout=40s', 'managers.probe.interval=1000h');
    const bornMs = clock.nowMs();
    await until(state('healthy'));
    await until(() => asked() === 2);
    clock.advance(bornMs + 39_999 - clock.nowMs());
    expect((await readyz(gateway))[0]).toBe(503);
    clock.advance(1);
    expect((await readyz(gateway))[0]).toBe(200);
    expect(gateway.events.some(({ kind }) => kind === 'warmup-finished')).toBe(false);
  });

  it('is ready with the manager away and something to serve', async () => {
    const dir = temporaryDirectory();
    answer();
    const before = await start(`snapshot.dir=${dir}`);
    const caller = await connectCaller(before.address);
    await until(state('healthy'));
    expect((await caller.call(LIST, requestOf(LIST, { hostname: 'd', ip: '127.0.0.9' }))).code).toBe(0);
    await caller.close();
    await before.gateway.stop();
    await manager.stop();

    const after = await start(`snapshot.dir=${dir}`, REQUESTS);
    expect(await readyz(after)).toEqual([503, 'warming up: no manager has answered yet']);
    await until(state('failed'));
    expect((await readyz(after))[0]).toBe(200);

    // From then on it stays so: a manager that comes back, and is asked for all again, takes no traffic away.
    holdAnswers();
    manager = await startManager(manager.port);
    await until(() => asked() > 0);
    expect((await readyz(after))[0]).toBe(200);
  });

  it('is not ready with the manager away and nothing to serve', async () => {
    await manager.stop();
    const gateway = await start(REQUESTS);
    await until(state('failed'));
    expect(await readyz(gateway)).toEqual([503, expect.stringContaining('has not answered since')]);
  });

  it('does not wait while only observing, which asks for nothing of itself', async () => {
    const gateway = await start(REQUESTS, 'mode=observe');
    await until(state('healthy'));
    expect((await readyz(gateway))[0]).toBe(200);
    expect(asked()).toBe(0);
  });
});
