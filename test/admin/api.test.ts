import http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const STORAGE = '/manager.Manager/GetObjectStorage';
const TOKEN = 'a-token-of-the-test';

let manager: SimulatedManager;
let running: RunningGateway;
let caller: Caller;
let base: string;

async function start(sets: readonly string[] = []): Promise<void> {
  running = await startGateway({
    managers: [manager.address],
    sets: ['admin.enable=true', 'admin.addr=127.0.0.1:0', `admin.token=${TOKEN}`, ...sets],
  });
  // Before that, what is asked is asked in the ramp of a manager that comes back.
  await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'healthy');
  base = `http://127.0.0.1:${running.bound.admin?.port}`;
  caller = await connectCaller(running.address, { 'user-agent': 'tonic/0.12' });
}

beforeEach(async () => {
  manager = await startSimulatedManager();
});
afterEach(async () => {
  await caller.close();
  await running.gateway.stop();
  await manager.stop();
});

// biome-ignore lint/suspicious/noExplicitAny: answers of several shapes, each looked at by its test
const get = async (path: string): Promise<any> => (await fetch(base + path)).json();
const post = (path: string, body: unknown, token = TOKEN) =>
  fetch(base + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
const list = (hostname = 'a') => caller.call(LIST, requestOf(LIST, { hostname, ip: '127.0.0.2' }));
const acts = () =>
  running.events.filter(({ kind }) => kind === 'operator-acted' || kind === 'operator-refused');

describe('what the admin address shows', () => {
  it('is in one sentence how the gateway is', async () => {
    await start();
    await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'healthy');
    expect(await get('/api/status')).toMatchObject({
      health: 'well',
      sentence: 'All is well: the manager works.',
      mode: 'answer',
      serving: true,
      connections: 1,
      mayAct: true,
    });
    await list();
    await manager.stop();
    await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
    const { health, sentence } = await get('/api/status');
    expect(health).toBe('bad');
    expect(sentence).toMatch(
      /^No manager works; callers get the last good answers: manager .* has not answered since .*\.$/,
    );
  });

  it('is each manager address, and each breaker that was needed', async () => {
    await start();
    await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'healthy');
    await list();
    const { managers } = await get('/api/managers');
    expect(managers).toEqual([
      expect.objectContaining({ manager: '0', address: manager.address, state: 'healthy', readyChannels: 2 }),
    ]);
    expect((await get('/api/breakers')).breakers).toContainEqual({
      method: 'manager.v2.Manager/ListSchedulers',
      state: 'closed',
    });
  });

  it('is what is remembered, with its content, its age and how often it was used', async () => {
    await start();
    await list();
    await list();
    const { count, entries } = await get('/api/cache?method=ListSchedulers');
    expect(count).toBe(1);
    expect(entries).toEqual([
      expect.objectContaining({
        method: 'ListSchedulers',
        freshness: 'fresh',
        status: 'OK',
        uses: expect.any(Number),
        held: null,
      }),
    ]);
    const entry = await get(`/api/cache/entry?key=${encodeURIComponent(entries[0].key)}`);
    expect(entry.answer.schedulers.map(({ hostname }: { hostname: string }) => hostname)).toContain(
      'sched-a',
    );
    expect((await fetch(`${base}/api/cache/entry?key=none`)).status).toBe(404);
  });

  it('is found by what the caller said of itself', async () => {
    await start(['cache.sharing=exact']);
    await list('daemon-one');
    await list('daemon-two');
    const { count, matching, entries } = await get('/api/cache?find=DAEMON-TWO');
    expect([count, matching]).toEqual([2, 1]);
    expect(entries[0].parts).toContain('daemon-two');
  });

  it('is never the content of a secret answer', async () => {
    await manager.stop();
    manager = await startSimulatedManager({ version: 'v2.1.55' });
    manager.record.objectStorage = {
      name: 's3',
      region: 'r',
      endpoint: 'http://127.0.0.1',
      accessKey: 'canary-access',
      secretKey: 'canary-secret',
      s3ForcePathStyle: true,
      scheme: 'http',
      buckets: [],
    };
    await start();
    const { code } = await caller.call(STORAGE, requestOf(STORAGE, { hostname: 'a', ip: '127.0.0.2' }));
    expect(code).toBe(0);
    const { entries } = await get('/api/cache?method=GetObjectStorage');
    const entry = await (
      await fetch(`${base}/api/cache/entry?key=${encodeURIComponent(entries[0].key)}`)
    ).text();
    expect(entry).toContain('"answer":"(secret)"');
    expect(entry).not.toMatch(/canary/);
  });

  it('is who connects, and who does not keep what he opens first', async () => {
    await start();
    await list();
    for (let turn = 0; turn < 30; turn++) {
      const churner = await connectCaller(running.address, { 'user-agent': 'grpc-go/1.64.0 x' });
      await churner.call('/grpc.health.v1.Health/Check', Buffer.alloc(0));
      await churner.close();
    }
    const { callers } = await get('/api/callers');
    // All of this machine is one address; the last kind that spoke is its kind.
    expect(callers).toEqual([
      expect.objectContaining({
        address: '127.0.0.1',
        kind: 'grpc-go/1.64.0',
        openedTotal: 31,
        churns: true,
      }),
    ]);
  });

  it('is the configuration without its secrets', async () => {
    await start(['redis.password=canary-password', 'redis.secret=canary-secret']);
    const text = JSON.stringify(await get('/api/config'));
    expect(text).toContain('"responseTimerMs":500');
    expect(text).toContain('"token":"(set)"');
    expect(text).not.toMatch(/canary/);
    expect(text).not.toContain(TOKEN);
  });

  it('is told as it happens', async () => {
    await start();
    const seen: string[] = [];
    const warned = new Promise<void>((resolve, reject) => {
      const request = http.get(`${base}/api/events`, (response) => {
        response.setEncoding('utf8').on('data', (chunk: string) => {
          seen.push(chunk);
          if (seen.length === 1) running.gateway.setMode('observe');
          if (seen.join('').includes('event: warning')) {
            request.destroy();
            resolve();
          }
        });
      });
      request.on('error', reject);
    });
    await warned;
    expect(seen[0]).toMatch(/^event: status\ndata: \{"health":/);
    expect(seen.join('')).toMatch(/event: warning\ndata: \{.*"text":"mode: answer → observe"/);
    expect((await get('/api/warnings')).warnings).toContainEqual(
      expect.objectContaining({ level: 'warn', event: 'mode-changed' }),
    );
  });
});

describe('what the admin address does', () => {
  it('it does for nobody without the token, and says who has tried', async () => {
    await start();
    const response = await post('/api/mode', { mode: 'bypass' }, 'wrong');
    expect(response.status).toBe(401);
    expect(running.gateway.mode).toBe('answer');
    expect(acts()).toEqual([
      { kind: 'operator-refused', action: 'mode', from: expect.stringMatching(/127\.0\.0\.1$/) },
    ]);
  });

  it('it does for nobody at all where no token is set', async () => {
    await start(['admin.token=']);
    expect((await post('/api/mode', { mode: 'bypass' }, '')).status).toBe(403);
  });

  it('is to switch the mode, written down with who and what', async () => {
    await start();
    expect((await post('/api/mode', { mode: 'observe' })).status).toBe(200);
    expect(running.gateway.mode).toBe('observe');
    expect(acts()).toEqual([
      {
        kind: 'operator-acted',
        action: 'mode',
        detail: '{"mode":"observe"}',
        from: expect.stringMatching(/127\.0\.0\.1$/),
      },
    ]);
    const refused = await post('/api/mode', { mode: 'off' });
    expect([refused.status, await refused.text()]).toEqual([
      400,
      'allowed: {"mode": "answer"}, "observe" or "bypass"\n',
    ]);
  });

  it('is maintenance: what is remembered is good enough, and the manager is left alone', async () => {
    await start([
      'cache.methods.ListSchedulers.ttl=0s',
      'cache.methods.ListSchedulers.swr=0s',
      'cache.methods.ListSchedulers.exactTtl=0s',
    ]);
    await list();
    const asked = (): number => manager.calls().filter(({ path }) => path === LIST).length;
    const before = asked();
    expect(await (await post('/api/maintenance', { minutes: 30 })).json()).toMatchObject({ on: true });
    expect((await list()).trailers['x-dfmgw-cache']).toBe('stale');
    expect(asked()).toBe(before);
    expect((await get('/api/status')).sentence).toBe(
      'Maintenance for 30 more minutes: callers get what is remembered.',
    );
    await post('/api/maintenance', { minutes: 0 });
    expect((await list()).trailers['x-dfmgw-cache']).toBe('miss');
    expect((await post('/api/maintenance', { minutes: 11 })).status).toBe(400);
  });

  it('is to ask again for what is remembered, and to forget it', async () => {
    await start();
    await list();
    const [{ key }] = (await get('/api/cache?method=ListSchedulers')).entries;
    const refreshed = await post('/api/cache/refresh', { key });
    expect(await refreshed.json()).toEqual({ source: 'miss', status: 'OK', statusMessage: '' });
    expect(await (await post('/api/cache/drop', { key })).json()).toEqual({ dropped: 1 });
    expect((await get('/api/cache')).count).toBe(0);
    expect((await list()).trailers['x-dfmgw-cache']).toBe('miss');
    expect((await post('/api/cache/refresh', { key: 'none' })).status).toBe(404);
    expect(await (await post('/api/cache/drop', { all: true })).json()).toEqual({ dropped: 1 });
  });

  it('is to wait for the manager, however slow, where an operator asks it', async () => {
    await start(['cache.responseTimer=20ms']);
    await list();
    const [{ key }] = (await get('/api/cache?method=ListSchedulers')).entries;
    manager.setFault({ kind: 'slow', delayMs: 300 });
    expect(await (await post('/api/cache/refresh', { key })).json()).toMatchObject({
      source: 'miss',
      status: 'OK',
    });
  });

  it('is to say that what the guard holds back is right', async () => {
    await start([
      'cache.methods.ListSchedulers.ttl=0s',
      'cache.methods.ListSchedulers.swr=0s',
      'cache.sharing=exact',
      'cache.methods.ListSchedulers.exactTtl=0s',
    ]);
    await list();
    manager.setFault({ kind: 'empty-lists' });
    expect((await list()).trailers['x-dfmgw-cache']).toBe('stale');
    const [entry] = (await get('/api/cache?method=ListSchedulers')).entries;
    expect(entry.held).toMatchObject({ reason: 'empty-list' });
    expect(await get('/api/cache?held=true')).toMatchObject({ held: 1, matching: 1 });
    expect((await post('/api/cache/accept', { key: entry.key })).status).toBe(200);
    expect((await list()).response?.length ?? 0).toBe(0);
    expect(await get('/api/cache?held=true')).toMatchObject({ count: 1, held: 0, matching: 0, entries: [] });
    expect((await post('/api/cache/accept', { key: entry.key })).status).toBe(409);
  });
});
