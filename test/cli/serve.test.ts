import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';

const APPLICATIONS = '/manager.v2.Manager/ListApplications';
const ASK = requestOf(APPLICATIONS, { hostname: 'h', ip: '127.0.0.1' });
const CHECK = '/grpc.health.v1.Health/Check';

let directory: string;
let file: string;
let manager: SimulatedManager;
let running: GatewayProcess | undefined;
let callers: Caller[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gateway-serve-'));
  file = join(directory, 'manager-gateway.yaml');
  callers = [];
  manager = await startSimulatedManager();
  configure({});
});

afterEach(async () => {
  await Promise.all(callers.map((caller) => caller.close()));
  running?.child.kill('SIGKILL');
  await running?.exited;
  running = undefined;
  await manager.stop();
  rmSync(directory, { recursive: true });
});

function configure(more: Record<string, unknown>): void {
  const config = {
    server: { listen: '127.0.0.1:0', drainTimeout: '5s' },
    managers: { addrs: [manager.address] },
    metrics: { addr: '127.0.0.1:0' },
    admin: { addr: '127.0.0.1:0' },
    snapshot: { dir: '' },
    ...more,
  };
  writeFileSync(file, JSON.stringify(config));
}

async function start(): Promise<{ gateway: GatewayProcess; caller: Caller; metrics: string; admin: string }> {
  running = runGateway(['serve', '--config', file]);
  const { listen, metrics, admin } = (await running.line({ event: 'started' })) as Record<string, string>;
  await running.line({ event: 'address-state-changed', to: 'healthy' });
  const caller = await connectCaller(listen as string);
  callers.push(caller);
  return { gateway: running, caller, metrics: `http://${metrics}`, admin: `http://${admin}` };
}

describe('manager-gateway serve', () => {
  it('refuses a wrong configuration with everything that is wrong with it, and exit code 2', async () => {
    writeFileSync(file, 'server:\n  listen: nowhere\n  enginee: node\nmode: answr\n');
    running = runGateway(['serve', '--config', file, '--set', 'retry.maxAttempts=many']);
    expect(await running.exited).toBe(2);
    const said = running.stderr();
    for (const part of [
      'server.listen',
      ':2:',
      'server.enginee',
      ':3:',
      'mode',
      ':4:',
      'retry.maxAttempts',
      '--set',
      'answer',
    ]) {
      expect(said).toContain(part);
    }
    expect(said).not.toContain('    at ');
  });

  it('says which file is missing, and exits with 2', async () => {
    running = runGateway(['serve', '--config', join(directory, 'none.yaml')]);
    expect(await running.exited).toBe(2);
    expect(running.stderr()).toContain('none.yaml');
  });

  it('takes its file from MANAGER_GATEWAY_CONFIG, and single keys from the environment', async () => {
    running = runGateway(['serve', '--check'], {
      MANAGER_GATEWAY_CONFIG: file,
      DFMGW__RETRY__MAXATTEMPTS: '0',
    });
    expect(await running.exited).toBe(2);
    expect(running.stderr()).toContain('DFMGW__RETRY__MAXATTEMPTS');
  });

  it.each(['server.listen', 'metrics.addr', 'admin.addr'])(
    'says that the port of %s is taken, and exits with 1',
    async (key) => {
      const holder = createServer();
      await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
      const { port } = holder.address() as { port: number };
      running = runGateway(['serve', '--config', file, '--set', `${key}=127.0.0.1:${port}`]);
      expect(await running.exited).toBe(1);
      expect(running.stderr()).toMatch(new RegExp(`${key}.*${port}.*EADDRINUSE`));
      expect(running.stderr()).not.toContain('    at ');
      await new Promise((resolve) => holder.close(resolve));
    },
  );

  it('tells liveness, readiness and metrics over HTTP, and nothing else', async () => {
    const { metrics, admin, caller } = await start();
    await caller.call(APPLICATIONS, ASK);
    for (const base of [metrics, admin]) {
      expect((await fetch(`${base}/healthy`)).status).toBe(200);
      expect((await fetch(`${base}/readyz`)).status).toBe(200);
      expect((await fetch(`${base}/nothing`)).status).toBe(404);
      expect((await fetch(`${base}/healthy`, { method: 'POST' })).status).toBe(405);
    }
    expect((await fetch(`${admin}/metrics`)).status).toBe(404);
    const text = await (await fetch(`${metrics}/metrics`)).text();
    for (const series of [
      'answers_total{method="manager.v2.Manager/ListApplications",answer="miss",code="OK"} 1',
      'upstream_channels_created_total{manager="0",reason="start"} 2',
      'downstream_connections_opened_total 1',
      'upstream_channels{manager="0"} 2',
      'breaker_state{method="manager.v2.Manager/ListApplications",state="closed"} 1',
      'manager_response_seconds_count{method="manager.v2.Manager/ListApplications"} 1',
      'mode{mode="answer"} 1',
    ]) {
      expect(text).toContain(`dragonfly_manager_gateway_${series}`);
    }
    expect(text).not.toContain('grpc_server_');
    expect(text).not.toContain('127.0.0.1');
  });

  it('switches its mode at SIGHUP without losing a connection, and says what needs a restart', async () => {
    const { gateway, caller } = await start();
    const trailersOf = async () =>
      Object.keys((await caller.call(APPLICATIONS, ASK)).trailers).filter((key) => key.startsWith('x-dfmgw'));
    expect(await trailersOf()).toEqual(['x-dfmgw-cache', 'x-dfmgw-age-ms']);
    configure({ mode: 'observe', breaker: { volumeThreshold: 5 } });
    gateway.child.kill('SIGHUP');
    expect(await gateway.line({ event: 'config-reloaded' })).toMatchObject({
      applied: ['mode'],
      needRestart: ['breaker.volumeThreshold'],
    });
    expect(await trailersOf()).toEqual([]);
    configure({ mode: 'bypass' });
    gateway.child.kill('SIGHUP');
    await gateway.line({ event: 'mode-changed', to: 'bypass' });
    expect(await trailersOf()).toEqual([]);
    const before = manager.stats.callsByMethod[APPLICATIONS] ?? 0;
    await caller.call(APPLICATIONS, ASK);
    expect(manager.stats.callsByMethod[APPLICATIONS]).toBe(before + 1);
  });

  it('keeps the old configuration when the new one is wrong', async () => {
    const { gateway, caller } = await start();
    writeFileSync(file, 'mode: nonsense\n');
    gateway.child.kill('SIGHUP');
    expect((await gateway.line({ event: 'config-refused' })).msg).toContain('nonsense');
    expect((await caller.call(APPLICATIONS, ASK)).code).toBe(0);
  });

  it('drains at SIGTERM: the call in flight finishes, a watcher hears of it, nobody new gets in, exit code 0', async () => {
    const { gateway, caller, metrics } = await start();
    const other = await connectCaller(String((await gateway.line({ event: 'started' })).listen));
    callers.push(other);
    const watching = other.begin('/grpc.health.v1.Health/Watch', Buffer.alloc(0));
    manager.setFault({ kind: 'slow', delayMs: 700 });
    const slow = caller.begin(APPLICATIONS, ASK);
    await reached(APPLICATIONS);
    gateway.child.kill('SIGTERM');
    await gateway.line({ event: 'draining' });
    expect((await slow.called).code).toBe(0);
    expect(await gateway.exited).toBe(0);
    const watched = await watching.called;
    expect([watched.code, watched.response?.subarray(-2)]).toEqual([14, Buffer.from([8, 2])]);
    await expect(fetch(`${metrics}/healthy`)).rejects.toThrow();
  });

  it('says in the log when its health changes, and why', async () => {
    const { gateway } = await start();
    expect((await gateway.line({ event: 'serving-changed', serving: true })).level).toBe('info');
    await manager.stop();
    expect(await gateway.line({ event: 'serving-changed', serving: false })).toMatchObject({
      level: 'error',
      msg: expect.stringContaining('health says NOT_SERVING: manager 127.0.0.1:'),
    });
  });

  it('exits at once at a second signal', async () => {
    const { gateway, caller } = await start();
    manager.setFault({ kind: 'frozen' });
    const hanging = caller.begin(APPLICATIONS, ASK);
    await reached(APPLICATIONS);
    gateway.child.kill('SIGTERM');
    await gateway.line({ event: 'draining' });
    gateway.child.kill('SIGINT');
    expect(await gateway.exited).toBe(130);
    await hanging.called.catch(() => undefined);
  });

  it('goes on serving when nobody reads its log any more', async () => {
    const { gateway, caller, metrics } = await start();
    gateway.child.stdout?.destroy();
    // Each reload writes a line.
    while (!(await reloads(metrics)).includes('{result="applied"} 3')) gateway.child.kill('SIGHUP');
    expect((await caller.call(APPLICATIONS, ASK)).code).toBe(0);
    gateway.child.kill('SIGTERM');
    expect(await gateway.exited).toBe(0);
    expect(gateway.stderr()).toBe('');
  });

  it('answers health itself in mode answer, and lets the manager answer in bypass', async () => {
    configure({ mode: 'bypass' });
    const { caller } = await start();
    await caller.call(CHECK, Buffer.alloc(0));
    expect(manager.stats.callsByMethod[CHECK]).toBe(1);
  });
});

async function reloads(metrics: string): Promise<string> {
  const text = await (await fetch(`${metrics}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.includes('config_reloads_total'))
    .join('\n');
}

/** Resolves when the manager has seen a call of `path`. */
async function reached(path: string): Promise<void> {
  while (!manager.calls().some((call) => call.path === path))
    await new Promise((resolve) => setImmediate(resolve));
}
