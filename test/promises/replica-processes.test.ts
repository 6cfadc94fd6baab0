import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeRequest, decodeResponse } from '../../src/route/proto.js';
import { type Called, type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';
import { type ManagerProcess, startManagerProcess } from '../support/manager-process.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { samplesIn } from '../support/told.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const GET = '/manager.v2.Manager/GetScheduler';
const UPDATE = '/manager.v2.Manager/UpdateScheduler';
const HOUR_MS = 3_600_000;
const TTL_MS = 2_000;
/** Three thousand: test/hard/numbers. */
const CALLERS = Number(process.env.REPLICA_CALLERS ?? 600);
const CONNECTIONS = 20;
/** How often the manager's rows change. */
const VERSIONS = 5;
/** An hour apart, the third one jumping by five hours ten times a second. */
const CLOCKS = [
  { WALL_OFFSET_MS: '0' },
  { WALL_OFFSET_MS: String(HOUR_MS) },
  { WALL_OFFSET_MS: String(-HOUR_MS), WALL_JUMPS_MS: String(5 * HOUR_MS) },
];
const WALL_CLOCK = new URL('../support/wall-clock.mjs', import.meta.url).href;
const NODES = [
  { hostname: 'sched-a', ip: '10.1.0.1' },
  { hostname: 'sched-b', ip: '10.1.0.2' },
];
const IDCS = ['idc-1', 'idc-2'];

interface Replica {
  readonly gateway: GatewayProcess;
  readonly metrics: string;
  readonly callers: readonly Caller[];
}

let redis: RedisProcess;
let manager: ManagerProcess;
let direct: Caller;
let replicas: Replica[];

function startReplicas(ttlMs: number): void {
  beforeAll(async () => {
    [redis, manager] = await Promise.all([startRedis(), startManagerProcess()]);
    direct = await connectCaller(manager.address);
    replicas = await Promise.all(CLOCKS.map((clock) => startReplica(clock, ttlMs)));
  });
  afterAll(async () => {
    await Promise.all([
      direct.close(),
      ...replicas.flatMap(({ callers }) => callers.map((one) => one.close())),
    ]);
    for (const { gateway } of replicas) gateway.child.kill('SIGKILL');
    await Promise.all(replicas.map(({ gateway }) => gateway.exited));
    await Promise.all([manager.kill(), redis.stop()]);
  });
}

async function startReplica(clock: (typeof CLOCKS)[number], ttlMs: number): Promise<Replica> {
  const sets = [
    'fleet.id=f1',
    'server.listen=127.0.0.1:0',
    'metrics.addr=127.0.0.1:0',
    'admin.enable=false',
    `managers.addrs=["${manager.address}"]`,
    `redis.addrs=["${redis.address}"]`,
    // Long, because the machine is shared.
    'redis.timeout=5s',
    // Nor is the manager slow because the machine is: a gateway asks again whom it has found so.
    ...['managers.requestTimeout=20s', 'managers.probe.timeout=20s', 'managers.probe.slow=10s'],
    'snapshot.dir=',
    ...['GetScheduler', 'ListSchedulers'].flatMap((method) => [
      `cache.methods.${method}.ttl=${ttlMs}ms`,
      `cache.methods.${method}.swr=${ttlMs}ms`,
    ]),
  ];
  const args = ['serve', ...sets.flatMap((set) => ['--set', set])];
  const gateway = runGateway(args, { ...clock, NODE_OPTIONS: `--import ${WALL_CLOCK}` });
  const { listen, metrics } = await gateway.line({ event: 'started' });
  await Promise.all([
    gateway.line({ event: 'redis-connected' }),
    gateway.line({ event: 'address-state-changed', to: 'healthy' }),
  ]);
  const callers = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectCaller(String(listen))));
  return { gateway, metrics: String(metrics), callers };
}

type Question = { readonly key: string; readonly path: string; readonly request: Buffer };

/** Every third caller is a scheduler that asks for its row, the others are daemons with names of their own. */
function questionOf(caller: number): Question {
  const node = NODES[caller % 2] ?? NODES[0];
  const idc = IDCS[caller % 2] ?? '';
  if (caller % 3 === 0)
    return {
      key: node?.hostname ?? '',
      path: GET,
      request: requestOf(GET, { ...node, scheduler_cluster_id: '1' }),
    };
  const fields = { source_type: 'PEER_SOURCE', hostname: `daemon-${caller}`, ip: '10.2.0.1', idc };
  return { key: idc, path: LIST, request: requestOf(LIST, fields) };
}

/** The rows show how often they have changed. */
async function change(version: number): Promise<void> {
  for (const node of NODES) {
    const fields = { source_type: 'SCHEDULER_SOURCE', scheduler_cluster_id: '1', port: 8002, ...node };
    const { code } = await direct.call(
      UPDATE,
      requestOf(UPDATE, { ...fields, location: `version-${version}` }),
    );
    expect(code).toBe(0);
  }
}
const versionIn = ({ response }: Called): number => {
  const { location } = decodeResponse(GET, response ?? Buffer.alloc(0)) as { location: string };
  return Number(/^version-(\d+)$/.exec(location)?.[1] ?? 0);
};

/** Nothing is being asked any more, by anybody. */
async function quiet(): Promise<void> {
  const flights = async ({ metrics }: Replica): Promise<number> =>
    samplesIn(await (await fetch(`http://${metrics}/metrics`)).text(), 'flights ')[''] ?? Number.NaN;
  while ((await Promise.all(replicas.map(flights))).some((count) => count > 0));
}

/** How often each of the questions was asked at the manager. */
async function askedByKey(): Promise<Map<string, number>> {
  const { calls } = (await manager.tell({ command: 'calls', limit: 10_000 })) as {
    calls: { path: string; requestBytes: string }[];
  };
  const counts = new Map<string, number>();
  for (const { path, requestBytes } of calls) {
    if (path !== GET && path !== LIST) continue;
    const { hostname, idc } = decodeRequest(path, Buffer.from(requestBytes, 'base64')) as Record<
      string,
      string
    >;
    const key = path === GET ? hostname : idc;
    counts.set(key ?? '', (counts.get(key ?? '') ?? 0) + 1);
  }
  return counts;
}

describe('three gateway processes on one Redis, their wall clocks an hour apart and one of them jumping', () => {
  // Nothing is to become old while a busy machine takes its time.
  startReplicas(HOUR_MS);

  it('have the clocks that they are said to have', () => {
    const shown = replicas.map(({ gateway }) =>
      gateway.lines.map(({ ts }) => Date.parse(String(ts)) - Date.now()),
    );
    const near = (ms: number, wanted: number): boolean => Math.abs(ms - wanted) < HOUR_MS / 2;
    expect(shown[0]?.every((ms) => near(ms, 0))).toBe(true);
    expect(shown[1]?.every((ms) => near(ms, HOUR_MS))).toBe(true);
    expect(shown[2]?.every((ms) => near(ms, 4 * HOUR_MS) || near(ms, -6 * HOUR_MS))).toBe(true);
  });

  it('answer hits with what one of them has fetched', async () => {
    const [first, ...others] = replicas;
    const ask = async (replica: Replica | undefined, { path, request }: Question): Promise<unknown> => {
      const called = await replica?.callers[0]?.call(path, request);
      return [called?.code, called?.trailers['x-dfmgw-cache']];
    };
    const client = redis.client();
    // A list lies in two places: where those look who share it, and where those look who do not know yet who does.
    for (const [caller, places] of [1, 2].entries()) {
      const before = (await client.keys('*:answer:*')).length;
      expect(await ask(first, questionOf(caller))).toEqual([0, 'miss']);
      while ((await client.keys('*:answer:*')).length < before + places);
      for (const other of others) expect(await ask(other, questionOf(caller))).toEqual([0, 'hit']);
    }
    const asked = await askedByKey();
    expect([asked.get('sched-a'), asked.get('idc-2')]).toEqual([1, 1]);
  });
});

describe('three gateway processes on one Redis that are all asked at once', () => {
  startReplicas(TTL_MS);

  it(`ask at most three times per question and TTL for ${CALLERS} callers, and none goes back to what was asked for earlier`, async () => {
    const newest = new Map<string, number>();
    const sources = new Map<string, number>();
    const call = async (caller: number): Promise<void> => {
      const index = Math.floor(caller / 6) % replicas.length;
      const { key, path, request } = questionOf(caller);
      const connections = replicas[index]?.callers ?? [];
      const place = `${index} ${key}`;
      // Whoever asks after somebody has been answered is not answered with what was before.
      const floor = newest.get(place) ?? 0;
      const called = await (connections[caller % connections.length] as Caller).call(path, request);
      const source = called.trailers['x-dfmgw-cache'] ?? '';
      sources.set(source, (sources.get(source) ?? 0) + 1);
      if (called.code !== 0 || (path === GET && versionIn(called) < floor))
        expect({ caller, code: called.code, version: versionIn(called) }).toEqual({
          caller,
          code: 0,
          version: floor,
        });
      if (path === GET) newest.set(place, Math.max(newest.get(place) ?? 0, versionIn(called)));
    };
    const everybody = (): Promise<unknown> => Promise.all(Array.from({ length: CALLERS }, (_, n) => call(n)));
    const beginMs = performance.now();
    for (let version = 1; version <= VERSIONS; version++) {
      // Between one version and the next nothing is under way: what shows more was asked for later.
      await quiet();
      await change(version);
      const fromMs = performance.now();
      while (performance.now() - fromMs < TTL_MS / 2) await everybody();
    }
    const everywhere = replicas.flatMap((_, index) => NODES.map(({ hostname }) => `${index} ${hostname}`));
    const isDone = (): boolean =>
      everywhere.every((place) => newest.get(place) === VERSIONS) && (sources.get('hit') ?? 0) > CALLERS;
    while (!isDone()) await everybody();
    await quiet();
    const ttls = Math.ceil((performance.now() - beginMs) / TTL_MS) + 1;
    const asked = await askedByKey();
    for (const key of [...NODES.map(({ hostname }) => hostname), ...IDCS]) {
      expect(asked.get(key)).toBeGreaterThan(0);
      expect(asked.get(key)).toBeLessThanOrEqual(3 * ttls);
    }
    const lines = replicas.flatMap(({ gateway }) => gateway.lines);
    expect(
      lines.filter(({ event }) => event === 'redis-answer-rejected' || event === 'redis-failed'),
    ).toEqual([]);
  }, 120_000);
});
