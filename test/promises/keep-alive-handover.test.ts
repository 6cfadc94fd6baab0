import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/defaults.js';
import type { NodeName } from '../../src/simulator/manager/manager-record.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type ShieldManager, startRemoteManager } from '../support/shield-manager.js';
import { type Lapse, lapsesBetween } from '../support/shield-meter.js';
import { ShieldNode } from '../support/shield-node.js';
import { allActive, member, scaledSettings } from '../support/shield-world.js';
import { watchStandstill } from '../support/standstill.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

/** Gateways as processes; their nodes dial one of them by its address, so that they cannot come back to another. */
const TIME_FACTOR = 10;
const { keepAlive } = defaultConfig();
const LEASE_MS = keepAlive.leaseMs / TIME_FACTOR;
const GRACE_MS = keepAlive.graceMs / TIME_FACTOR;
const NODES = 6;
/** What a gateway takes to start has nothing to do with how fast nodes live, and on a busy machine it takes long. */
const RESTART_GRACE_MS = 8_000;

const standstill = watchStandstill();
afterAll(() => standstill.stop());

let manager: ShieldManager;
let redis: RedisProcess | undefined;
let gateways: GatewayProcess[] = [];
let nodes: ShieldNode[] = [];

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  for (const { child } of gateways) child.kill('SIGKILL');
  await Promise.all(gateways.map(({ exited }) => exited));
  await Promise.all([redis?.stop(), manager.stop()]);
  [gateways, nodes, redis] = [[], [], undefined];
});

async function startGateway(
  dir = '',
  sets: readonly string[] = [],
): Promise<{ process: GatewayProcess; address: string }> {
  const shared = redis && [`redis.addrs=["${redis.address}"]`, 'redis.timeout=2s'];
  const settings = [
    ...scaledSettings(TIME_FACTOR),
    ...['server.listen=127.0.0.1:0', 'metrics.enable=false', 'admin.enable=false', 'fleet.id=f1'],
    `managers.addrs=["${manager.address}"]`,
    `snapshot.dir=${dir}`,
    ...(shared ?? []),
    ...sets,
  ];
  const flags = settings.flatMap((setting) => ['--set', setting]);
  const process = runGateway(['serve', '--config', '/dev/null', ...flags]);
  gateways.push(process);
  const { listen } = await process.line({ event: 'started' });
  return { process, address: String(listen) };
}

/** Two replicas on one Redis; every node is at the first. */
async function twoReplicas() {
  [manager, redis] = await Promise.all([startRemoteManager({ timeFactor: TIME_FACTOR }), startRedis()]);
  const [a, b] = await Promise.all([startGateway(), startGateway()]);
  await Promise.all([a, b].map(({ process }) => process.line({ event: 'claims-shared' })));
  await nodesAt(a.address);
  return { a, b };
}

async function nodesAt(address: string, count = NODES): Promise<void> {
  const made = Array.from(
    { length: count },
    (_, n) => new ShieldNode({ ...member(n), address, timeFactor: TIME_FACTOR }),
  );
  nodes.push(...made);
  await Promise.all(made.map((node) => node.start()));
  await allActive(manager, names());
}

const names = (): NodeName[] => nodes.map(({ name }) => name);

/** Every node is in the file that a gateway keeps them in. */
function written(dir: string): boolean {
  const [file] = readdirSync(dir).filter((name) => /^nodes-.*\.v1$/.test(name));
  if (file === undefined) return false;
  const text = readFileSync(join(dir, file), 'latin1');
  return names().every(({ hostname }) => text.includes(hostname));
}

async function lapsesSince(fromMs: number): Promise<readonly Lapse[][]> {
  const toMs = performance.now();
  return (await manager.histories(names())).map((history) => lapsesBetween(history, fromMs, toMs));
}

const inAllMs = (lapses: readonly Lapse[]): number =>
  lapses.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);

const inactive = async (): Promise<boolean> =>
  (await manager.histories(names())).every((history) => history.at(-1)?.state === 'inactive');

describe('with two replicas on one Redis', () => {
  it('a node that moves is inactive from the end of its old stream to the beginning of the new one, and no longer', async () => {
    const { b } = await twoReplicas();
    const fromMs = performance.now();
    const moved = nodes.map(
      ({ name }, n) => new ShieldNode({ ...member(n), name, address: b.address, timeFactor: TIME_FACTOR }),
    );
    for (const node of moved) node.resume();
    await until('all have moved', async () =>
      (await lapsesSince(fromMs)).every((lapses) => lapses.length > 0),
    );
    await allActive(manager, names());
    for (const lapses of await lapsesSince(fromMs)) {
      expect(lapses.map(({ cause }) => cause)).toEqual(['half-close']);
      expect(inAllMs(lapses)).toBeLessThan(1_000 + standstill.allowanceMs);
    }
    nodes.push(...moved);
  }, 120_000);

  it('a replica that is killed costs its nodes no more than the lease and 2 s, though none of them comes back', async () => {
    const { a } = await twoReplicas();
    const fromMs = performance.now();
    a.process.child.kill('SIGKILL');
    await until('all are seen to end', async () =>
      (await lapsesSince(fromMs)).every(({ length }) => length > 0),
    );
    await allActive(manager, names());
    for (const lapses of await lapsesSince(fromMs))
      expect(inAllMs(lapses)).toBeLessThan(LEASE_MS + 2_000 + standstill.allowanceMs);
    // They are dead, for all that anybody knows.
    const takenMs = performance.now();
    await until('all are let go', inactive, GRACE_MS + 10_000);
    expect(performance.now() - takenMs).toBeGreaterThan(GRACE_MS / 2);
  }, 120_000);

  it('a replica that is frozen for 60 s and woken costs its nodes no more than the lease and 2 s', async () => {
    const { a } = await twoReplicas();
    const fromMs = performance.now();
    a.process.child.kill('SIGSTOP');
    await wait(60_000 / TIME_FACTOR);
    a.process.child.kill('SIGCONT');
    await wait(LEASE_MS);
    await allActive(manager, names());
    for (const lapses of await lapsesSince(fromMs))
      expect(inAllMs(lapses)).toBeLessThan(LEASE_MS + 2_000 + standstill.allowanceMs);
  }, 120_000);

  it('a replica that is told to stop has its nodes taken over at once, and ends well', async () => {
    const { a } = await twoReplicas();
    const fromMs = performance.now();
    a.process.child.kill('SIGTERM');
    expect(await a.process.exited).toBe(0);
    await allActive(manager, names());
    for (const lapses of await lapsesSince(fromMs)) {
      expect(lapses.map(({ cause }) => cause)).toEqual(['half-close']);
      expect(inAllMs(lapses)).toBeLessThan(1_000 + standstill.allowanceMs);
    }
  }, 120_000);
});

describe('alone, with a directory', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'a gateway that is ended by %s and started again has its nodes active before they come back',
    async (signal) => {
      manager = await startRemoteManager({ timeFactor: TIME_FACTOR });
      const dir = temporaryDirectory();
      const patient = [`keepAlive.grace=${RESTART_GRACE_MS}ms`];
      const first = await startGateway(dir, patient);
      await nodesAt(first.address, 3);
      await until('they are written down', () => written(dir));
      const fromMs = performance.now();
      first.process.child.kill(signal);
      await first.process.exited;
      await until('all are inactive', inactive);
      const second = await startGateway(dir, patient);
      await second.process.line({ event: 'nodes-recovered', recovered: 3 });
      await allActive(manager, names());
      expect((await lapsesSince(fromMs)).map(({ length }) => length)).toEqual([1, 1, 1]);
      await until('those that do not come are let go', inactive, RESTART_GRACE_MS + 10_000);
    },
    120_000,
  );
});
