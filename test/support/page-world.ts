import { type Fleet, startFleet } from '../../src/simulator/fleet/fleet.js';
import type { Fault } from '../../src/simulator/manager/fault.js';
import { seedFromRecordings } from '../../src/simulator/manager/recorded-rows.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Caller, connectCaller } from './caller.js';
import { requestOf } from './data-path.js';
import { fastClock } from './fast-clock.js';
import { type RunningGateway, startGateway } from './running-gateway.js';

/** A gateway with an admin page, two managers with one database, nodes, daemons, and one who never keeps a connection. */
export interface PageWorld {
  readonly running: RunningGateway;
  /** Of the page. */
  readonly url: string;
  /** What is wrong with both managers from now on. */
  become(...faults: readonly Fault[]): void;
  /** The second manager alone is gone, or back. */
  second: { kill(): Promise<void>; restart(): Promise<void> };
  stop(): Promise<void>;
}

export interface PageWorldOptions {
  /** How many times as fast as in reality time runs. */
  readonly timeFactor: number;
  readonly daemons: number;
  /** How often somebody connects, asks for health and goes; default: as the daemons of the incident. */
  readonly churnMs?: number;
  readonly sets?: readonly string[];
}

export const TOKEN = 'a-token-of-the-test';

/**
 * For a world that runs ten times as fast: what is a fault only because the machine is busy takes as long as in reality, or longer,
 * and what a test has brought about stays until it has looked.
 */
export const STEADY = [
  'managers.connectTimeout=60s',
  'managers.requestTimeout=100s',
  'managers.probe.timeout=60s',
  'managers.probe.slow=50s',
  'cache.responseTimer=5s',
  'cache.emptyHold=2h',
  'breaker.resetTimeout=1h',
  'keepAlive.grace=250s',
] as const;

const LIST = '/manager.v2.Manager/ListSchedulers';
const HEALTH = '/grpc.health.v1.Health/Check';
const POLL_MS = 60_000;
/** The daemons of the incident opened a channel every 10 s. */
const CHURN_MS = 10_000;
const PLACES = [
  ['idc-a', 'asia|cn|hz'],
  ['idc-b', 'asia|cn|sh'],
  ['idc-c', 'europe|de|fra'],
] as const;

export async function startPageWorld({
  timeFactor,
  daemons,
  churnMs = CHURN_MS,
  sets = [],
}: PageWorldOptions): Promise<PageWorld> {
  const record = seedFromRecordings({ nodes: false });
  const managers = [
    await startSimulatedManager({ record, timeFactor }),
    await startSimulatedManager({ record, timeFactor }),
  ] as const;
  const running = await startGateway({
    managers: managers.map(({ address }) => address),
    clock: fastClock(timeFactor),
    sets: [
      'fleet.id=fleet-a',
      'admin.enable=true',
      'admin.addr=127.0.0.1:0',
      `admin.token=${TOKEN}`,
      ...sets,
    ],
  });
  const fleet = startFleet({
    managerAddress: running.address,
    daemons: 0,
    goDaemons: 0,
    schedulers: 4,
    seedPeers: 1,
    timeFactor,
  });
  const callers = startCallers(running.address, { timeFactor, daemons, churnMs });
  const [, second] = managers;
  return {
    running,
    url: `http://127.0.0.1:${running.bound.admin?.port}/`,
    become(...faults) {
      for (const manager of managers) {
        manager.clearFaults();
        for (const fault of faults) manager.setFault(fault);
      }
    },
    second: { kill: () => second.stop(), restart: () => second.restart() },
    stop: () => stop({ callers, fleet, running, managers }),
  };
}

async function stop(parts: {
  callers: { stop(): Promise<void> };
  fleet: Fleet;
  running: RunningGateway;
  managers: readonly SimulatedManager[];
}): Promise<void> {
  await parts.callers.stop();
  await parts.fleet.stop();
  await parts.running.gateway.stop();
  await Promise.all(parts.managers.map((manager) => manager.stop()));
}

/** Daemons, each from an address of its own, as the gateway sees them in life. */
function startCallers(
  gateway: string,
  { timeFactor, daemons, churnMs }: { timeFactor: number; daemons: number; churnMs: number },
) {
  const timers = new Set<NodeJS.Timeout>();
  const open = new Set<Caller>();
  let ended = false;
  const every = (ms: number, act: () => Promise<void>): void => {
    const run = (): void => void act().catch(() => undefined);
    timers.add(setInterval(run, ms / timeFactor));
    run();
  };
  const connect = async (userAgent: string, from: string): Promise<Caller> => {
    const caller = await connectCaller(gateway, { 'user-agent': userAgent }, from);
    if (ended) await caller.close();
    open.add(caller);
    return caller;
  };
  for (let nth = 0; nth < daemons; nth++) {
    const ip = `127.77.1.${nth + 1}`;
    const [idc, location] = PLACES[nth % PLACES.length] ?? PLACES[0];
    const hostname = `worker-${String(nth + 1).padStart(2, '0')}`;
    const asked = requestOf(LIST, { source_type: 'PEER_SOURCE', hostname, ip, idc, location });
    const start = setTimeout(
      () => {
        const caller = connect('tonic/0.12.3', ip);
        every(POLL_MS, async () => void (await (await caller).call(LIST, asked)));
      },
      (nth * POLL_MS) / daemons / timeFactor,
    );
    timers.add(start);
  }
  every(churnMs, async () => {
    const caller = await connect('grpc-go/1.64.0', '127.77.9.1');
    await caller.call(HEALTH, Buffer.alloc(0));
    open.delete(caller);
    await caller.close();
  });
  return {
    async stop() {
      ended = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([...open].map((caller) => caller.close()));
    },
  };
}
