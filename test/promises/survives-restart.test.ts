import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Called, type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';
import { type ManagerProcess, startManagerProcess } from '../support/manager-process.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const GET = '/manager.v2.Manager/GetScheduler';
const APPLICATIONS = '/manager.v2.Manager/ListApplications';

/** Two thousand: test/hard/numbers. */
const DAEMONS = Number(process.env.NEWCOMERS ?? 200);
const AT_ONCE = 200;

/** 50 daemons, each with a list of its own, and what a scheduler asks. */
const KNOWN: [string, Buffer][] = [
  ...Array.from({ length: 50 }, (_, n): [string, Buffer] => [
    LIST,
    requestOf(LIST, { hostname: `daemon-${n}`, ip: `127.0.1.${n}` }),
  ]),
  [GET, requestOf(GET, { hostname: 'sched-a', scheduler_cluster_id: '1', ip: '127.0.0.1' })],
  [APPLICATIONS, requestOf(APPLICATIONS, { hostname: 'sched-a', ip: '127.0.0.1' })],
];

let dir: string;
let manager: ManagerProcess;
let gateway: GatewayProcess | undefined;
let caller: Caller | undefined;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dfmgw-restart-'));
  manager = await startManagerProcess();
});
afterEach(async () => {
  await caller?.close();
  gateway?.child.kill('SIGKILL');
  await gateway?.exited;
  await manager.kill();
  rmSync(dir, { recursive: true });
});

async function startGateway(
  sharing: string,
): Promise<{ gateway: GatewayProcess; caller: Caller; metrics: string }> {
  const sets = [
    'server.listen=127.0.0.1:0',
    `managers.addrs=["${manager.address}"]`,
    'metrics.addr=127.0.0.1:0',
    'admin.enable=false',
    `snapshot.dir=${dir}`,
    'snapshot.interval=50ms',
    'log.level=debug',
    `cache.sharing=${sharing}`,
  ];
  gateway = runGateway(['serve', ...sets.flatMap((set) => ['--set', set])]);
  const { listen, metrics } = (await gateway.line({ event: 'started' })) as Record<string, string>;
  caller = await connectCaller(listen as string);
  return { gateway, caller, metrics: metrics as string };
}

const askAll = (by: Caller): Promise<Called[]> =>
  Promise.all(KNOWN.map(([path, request]) => by.call(path, request)));

describe('with the manager dead and the gateway started again', () => {
  it.each([
    ['SIGTERM', 'exact', KNOWN.length],
    ['SIGKILL', 'exact', KNOWN.length],
    // The 50 lists are one.
    ['SIGKILL', 'scope', 3],
  ] as const)('after %s, sharing %s, every known caller is served', async (signal, sharing, entries) => {
    const before = await startGateway(sharing);
    await before.gateway.line({ event: 'address-state-changed', to: 'healthy' });
    const warm = await askAll(before.caller);
    expect(warm.map(({ code, response }) => [code, response === undefined])).toEqual(
      KNOWN.map(() => [0, false]),
    );
    if (signal === 'SIGKILL') {
      await before.gateway.line({ event: 'snapshot-written', entries });
    }
    await manager.kill();
    await before.caller.close();
    before.gateway.child.kill(signal);
    await before.gateway.exited;

    const after = await startGateway(sharing);
    expect(after.gateway.lines.find(({ event }) => event === 'snapshot-loaded')?.entries).toBe(entries);
    // Ready as soon as it knows that the manager is away: what it can answer with was there before the listener.
    await after.gateway.line({ event: 'address-state-changed', to: 'failed' });
    expect((await fetch(`http://${after.metrics}/readyz`)).status).toBe(200);
    const answers = await askAll(after.caller);
    expect(answers.map(({ response }) => response)).toEqual(warm.map(({ response }) => response));
    for (const { code, trailers } of answers) {
      expect(code).toBe(0);
      expect(['hit', 'stale']).toContain(trailers['x-dfmgw-cache']);
      expect(Number(trailers['x-dfmgw-age-ms'])).toBeGreaterThan(0);
    }
    const health = await after.caller.call('/grpc.health.v1.Health/Check', Buffer.alloc(0));
    expect(health.response).toEqual(Buffer.from([8, 1]));
  });

  it(`${DAEMONS} daemons that nobody has seen before start as they do: two connections, health, three lists`, async () => {
    const before = await startGateway('scope');
    await before.gateway.line({ event: 'address-state-changed', to: 'healthy' });
    await askAll(before.caller);
    await manager.kill();
    await before.caller.close();
    before.gateway.child.kill('SIGTERM');
    await before.gateway.exited;

    const after = await startGateway('scope');
    const { listen } = (await after.gateway.line({ event: 'started' })) as { listen: string };
    const starts: string[] = [];
    // As two thousand come in ten seconds.
    while (starts.length < DAEMONS) {
      const daemons = Array.from({ length: AT_ONCE }, (_, n) => startDaemon(listen, starts.length + n));
      starts.push(...(await Promise.all(daemons)));
    }
    expect(starts.filter((outcome) => outcome !== 'runs')).toEqual([]);
  }, 120_000);
});

/** As the Rust client starts; it exits if its health check, or one of its three lists, brings nothing of use. */
async function startDaemon(address: string, n: number): Promise<string> {
  const [health, lists] = await Promise.all([connectCaller(address), connectCaller(address)]);
  const request = requestOf(LIST, {
    source_type: 'PEER_SOURCE',
    hostname: `newcomer-${n}`,
    ip: `127.1.${n >> 8}.${n & 255}`,
    version: 'v1.5.1',
  });
  try {
    const checked = await health.call('/grpc.health.v1.Health/Check', Buffer.alloc(0));
    if (!checked.response?.equals(Buffer.from([8, 1]))) return 'exits: not SERVING';
    for (let time = 0; time < 3; time++) {
      const { code, message, response } = await lists.call(LIST, request);
      if (code !== 0 || response === undefined || response.length === 0) return `exits: ${code} ${message}`;
    }
    return 'runs';
  } finally {
    await Promise.all([health.close(), lists.close()]);
  }
}
