import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFleet } from '../../src/simulator/fleet/fleet.js';
import { updateScheduler } from '../../src/simulator/fleet/messages.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Caller, connectCaller } from './caller.js';
import { makeAuthority } from './certificates.js';
import { configOf, requestOf } from './data-path.js';
import { type PrometheusProcess, startPrometheus } from './prometheus-process.js';
import { rulesInAHurry } from './queries.js';
import { type RedisProcess, startRedis } from './redis-process.js';
import { type RunningGateway, startGateway } from './running-gateway.js';
import { until } from './until.js';

/** A fleet behind a gateway with Redis and a directory, another gateway that starts into an outage, and a Prometheus that watches both. */
export interface WatchedFleet {
  readonly prometheus: PrometheusProcess;
  readonly redis: RedisProcess;
  readonly gateway: RunningGateway;
  /** Its manager is away until it is restarted. */
  readonly cold: RunningGateway;
  readonly coldManager: SimulatedManager;
  readonly manager: SimulatedManager;
  /** `snapshot.dir` of the gateway. */
  readonly dir: string;
  /** POST to its admin API. */
  act(path: string, body: object): Promise<void>;
  /** The scheduler registers once more, once it is known that no manager works. */
  register(): Promise<void>;
  /** The certificate that the cold gateway shows to its manager, and which runs out, becomes one that lasts. */
  renew(): void;
  /** All nodes leave, and it has been seen. */
  end(): Promise<void>;
  /** Callers that connect, find the manager healthy, ask, and close again, until `done` is called. */
  churn(): { done(): Promise<void> };
  /** Resolves once the alert fires, or does not; of the gateway, or of the one that was started cold. */
  fires(alert: string, of?: RunningGateway): Promise<void>;
  quiet(alert: string, of?: RunningGateway): Promise<void>;
  /** Resolves once the query has a value: a rate needs two scrapes between which something happened. */
  shows(query: string): Promise<void>;
  /** Since it was all started. */
  readonly seconds: number;
  stop(): Promise<void>;
}

const LIST = '/manager.v2.Manager/ListSchedulers';
const APPLICATIONS = '/manager.v2.Manager/ListApplications';
const HEALTH = '/grpc.health.v1.Health/Check';
const TIME_FACTOR = 20;
const INTERVAL = '500ms';
/** Of the rules, seconds: what is over is forgotten as soon. */
const WINDOW_SECONDS = 6;
const LIMIT_MS = 30_000;
const TOKEN = 'watched';

/** Everything in a hurry, as the fleet is. */
const SETS = [
  ...['ListSchedulers', 'GetScheduler', 'GetSeedPeer', 'ListSeedPeers', 'ListApplications'].flatMap(
    (method) => [`cache.methods.${method}.ttl=500ms`, `cache.methods.${method}.swr=200ms`],
  ),
  'cache.methods.ListSchedulers.exactTtl=500ms',
  'cache.negativeTtl=500ms',
  'cache.responseTimer=50ms',
  'cache.emptyHold=4s',
  'cache.maxStale=14s',
  'managers.requestTimeout=1s',
  'managers.probe.interval=500ms',
  'managers.probe.timeout=500ms',
  'managers.probe.slow=200ms',
  'breaker.volumeThreshold=5',
  'breaker.window=2s',
  'breaker.resetTimeout=500ms',
  'retry.backoff=50ms',
  'keepAlive.reconcile=500ms',
  'keepAlive.portCheck=300ms',
  'snapshot.interval=500ms',
];

export async function startWatchedFleet(): Promise<WatchedFleet> {
  const authority = makeAuthority();
  const [manager, coldManager] = [
    await startSimulatedManager({ timeFactor: 5 * TIME_FACTOR, sweepIntervalMs: 3_600_000 }),
    await startSimulatedManager({
      tls: { ...authority.leaf('manager'), caCert: authority.caCert, clientAuth: true },
    }),
  ];
  await coldManager.stop();
  const redis = await startRedis();
  const dir = mkdtempSync(join(tmpdir(), 'dfmgw-watched-'));
  const gateway = await startGateway({
    managers: [manager.address],
    sets: [
      ...SETS,
      'fleet.id=watched',
      `redis.addrs=["${redis.address}"]`,
      `snapshot.dir=${dir}`,
      'admin.enable=true',
      'admin.addr=127.0.0.1:0',
      `admin.token=${TOKEN}`,
    ],
  });
  const coldAddress = `https://${coldManager.address}`;
  const coldSets = (days: number): string[] => {
    const { cert, key } = authority.leaf('gateway', { days });
    const tls = { caCert: authority.caCert, cert, key };
    return [...SETS, ...Object.entries(tls).map(([name, pem]) => `managers.tls.${name}=${pem}`)];
  };
  const cold = await startGateway({ managers: [coldAddress], sets: coldSets(10) });
  const prometheus = await startPrometheus([gateway, cold].map(metricsOf), {
    interval: INTERVAL,
    rules: rulesInAHurry(WINDOW_SECONDS),
  });
  const startedMs = performance.now();
  // The streams of the fleet are to be seen opening.
  await prometheus.scraped();
  const fleet = startFleet({
    managerAddress: gateway.address,
    ...{ daemons: 4, goDaemons: 2, schedulers: 1, seedPeers: 1 },
    ...{ timeFactor: TIME_FACTOR, headStartMs: 10_000, spreadMs: 10_000 },
  });
  const callers = await Promise.all([gateway, cold].map(({ address }) => connectCaller(address)));
  const asking = callers.map((caller) => goOn(() => ask(caller)));
  const firing = async (alert: string, of: RunningGateway): Promise<boolean> => {
    const labels = `alertname="${alert}", alertstate="firing", instance="${metricsOf(of)}"`;
    return (await prometheus.query(`ALERTS{${labels}}`)).size > 0;
  };
  return {
    ...{ prometheus, redis, gateway, cold, coldManager, manager, dir },
    async act(path, body) {
      const response = await fetch(`http://127.0.0.1:${gateway.bound.admin?.port}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    },
    register: () => register(gateway),
    renew() {
      const addrs = `managers.addrs=${JSON.stringify([coldAddress])}`;
      cold.gateway.reconfigure(configOf('', [addrs, ...coldSets(90)]));
    },
    async end() {
      await fleet.stop();
      await prometheus.scraped();
    },
    churn: () => goOn(() => churn(gateway)),
    fires: (alert, of = gateway) => until(`${alert} fires`, () => firing(alert, of), LIMIT_MS),
    quiet: (alert, of = gateway) =>
      until(`${alert} is quiet again`, async () => !(await firing(alert, of)), LIMIT_MS),
    shows: (query) =>
      until(`${query} shows something`, async () => (await prometheus.query(query)).size > 0, LIMIT_MS),
    get seconds() {
      return Math.ceil((performance.now() - startedMs) / 1000);
    },
    async stop() {
      await Promise.all([...asking.map((one) => one.done()), fleet.stop()]);
      await Promise.all(callers.map((caller) => caller.close()));
      await prometheus.stop();
      await Promise.all([gateway.gateway.stop(), cold.gateway.stop()]);
      await Promise.all([manager.stop(), coldManager.stop(), redis.stop()]);
      rmSync(dir, { recursive: true });
      authority.end();
    },
  };
}

function metricsOf({ bound }: RunningGateway): string {
  return `127.0.0.1:${bound.metrics?.port}`;
}

/** One after the other, so that a busy machine is not asked for more than it can. */
function goOn(once: () => Promise<void>): { done(): Promise<void> } {
  let over = false;
  const turns = (async () => {
    while (!over) {
      await once();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    done() {
      over = true;
      return turns;
    },
  };
}

/** The first of the fleet. */
export const SCHEDULER = {
  kind: 'scheduler',
  hostname: 'scheduler-00000',
  clusterId: 1,
  ip: '127.77.0.0',
} as const;
/** Where the simulated nodes say that they listen, and do not. */
export const NODES = [
  { ip: SCHEDULER.ip, port: 8002 },
  { ip: '127.77.0.1', port: 65006 },
] as const;
const WHO = { hostname: 'node-1', ip: '127.0.0.2' };

async function ask(caller: Caller): Promise<void> {
  await caller.call(LIST, requestOf(LIST, WHO));
  await caller.call(APPLICATIONS, requestOf(APPLICATIONS, WHO));
  await new Promise((resolve) => setTimeout(resolve, 80));
}

async function churn({ address }: RunningGateway): Promise<void> {
  const caller = await connectCaller(address);
  await caller.call(HEALTH, Buffer.alloc(0));
  await caller.call(LIST, requestOf(LIST, WHO));
  await caller.close();
}

async function register({ address, gateway }: RunningGateway): Promise<void> {
  await until('the manager is known to be away', () =>
    gateway.managers().every(({ state }) => state === 'failed'),
  );
  const { path, bytes } = updateScheduler({ ...SCHEDULER, cohort: 'known', idc: '', location: '' });
  const caller = await connectCaller(address);
  await caller.call(path, bytes);
  await caller.close();
}
