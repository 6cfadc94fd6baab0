import { setTimeout as wait } from 'node:timers/promises';
import { defaultConfig } from '../../src/config/defaults.js';
import type { NodeName } from '../../src/simulator/manager/manager-record.js';
import { type RunningGateway, startGateway } from './running-gateway.js';
import type { ShieldManager } from './shield-manager.js';
import { inactiveMs, type Lapse, lapsesBetween } from './shield-meter.js';
import { ShieldNode } from './shield-node.js';
import { ShieldRelay } from './shield-relay.js';
import { until } from './until.js';

export interface ShieldWorldOptions<M extends ShieldManager> {
  readonly manager: M;
  /** How much faster than in reality nodes, manager and gateway live. */
  readonly timeFactor: number;
  /** `nothing`: the nodes speak with the manager themselves. */
  readonly through: 'gateway' | 'nothing';
  readonly nodes: number;
  /** More configuration of the gateway. */
  readonly sets?: readonly string[];
}

/** `nodes ─ access ─ gateway ─ link ─ manager`, all in this process but perhaps the manager. */
export interface ShieldWorld<M extends ShieldManager> {
  readonly manager: M;
  readonly link: ShieldRelay;
  readonly access: ShieldRelay;
  readonly gateway: RunningGateway | undefined;
  readonly nodes: readonly ShieldNode[];
  /** Lets so much time of the fleet pass: `realMs` over the time factor. */
  pass(realMs: number): Promise<void>;
  /** Resolves when every node is active at the manager; rejects after `limitMs` of this process's time. */
  allActive(limitMs?: number): Promise<void>;
  /** Each node's time not active between two moments of `performance.now`, ms. */
  inactive(fromMs: number, toMs: number): Promise<number[]>;
  lapses(fromMs: number, toMs: number): Promise<Lapse[][]>;
  stop(): Promise<void>;
}

const LIMIT_MS = 20_000;
const PATIENT_MS = 3_000;

export async function startShieldWorld<M extends ShieldManager>(
  options: ShieldWorldOptions<M>,
): Promise<ShieldWorld<M>> {
  const { manager, timeFactor } = options;
  const link = await ShieldRelay.start(manager.address);
  const gateway =
    options.through === 'nothing'
      ? undefined
      : await startGateway({
          managers: [link.address],
          sets: [...scaledSettings(timeFactor), ...(options.sets ?? [])],
        });
  const access = await ShieldRelay.start(gateway?.address ?? link.address);
  const nodes = Array.from(
    { length: options.nodes },
    (_, number) => new ShieldNode({ ...member(number), address: access.address, timeFactor }),
  );
  const names = nodes.map(({ name }) => name);
  const measure = async <T>(of: (history: Parameters<typeof inactiveMs>[0]) => T): Promise<T[]> =>
    (await manager.histories(names)).map(of);
  return {
    manager,
    link,
    access,
    gateway,
    nodes,
    pass: async (realMs) => void (await wait(realMs / timeFactor)),
    allActive: (limitMs = LIMIT_MS) => allActive(manager, names, limitMs),
    inactive: (fromMs, toMs) => measure((history) => inactiveMs(history, fromMs, toMs)),
    lapses: (fromMs, toMs) => measure((history) => lapsesBetween(history, fromMs, toMs)),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await gateway?.gateway.stop();
      await Promise.all([access.stop(), link.stop()]);
      await manager.stop();
    },
  };
}

/** Schedulers and seed peers of both APIs, in turn. */
export function member(number: number): { name: NodeName; api: 'v1' | 'v2' } {
  const kind = number % 3 === 2 ? 'seed-peer' : 'scheduler';
  const api = number % 3 === 0 ? 'v2' : 'v1';
  const ip = `127.88.${number >> 8}.${number & 0xff}`;
  return { name: { kind, clusterId: 1, hostname: `${kind}-${number}`, ip }, api };
}

export async function allActive(
  manager: ShieldManager,
  names: readonly NodeName[],
  limitMs = LIMIT_MS,
): Promise<void> {
  await until(
    'every node is active',
    async () => (await manager.histories(names)).every((history) => history.at(-1)?.state === 'active'),
    limitMs,
  );
}

/**
 * The gateway's defaults, those durations that have to do with nodes and managers over the time factor. What is held against how
 * long an answer takes is not divided as much: a busy machine is no faster than in reality.
 */
export function scaledSettings(timeFactor: number): string[] {
  const { keepAlive, managers, server } = defaultConfig();
  const scaled = (realMs: number, leastMs = 1): string =>
    `${Math.min(realMs, Math.max(leastMs, Math.round(realMs / timeFactor)))}ms`;
  return [
    `managers.requestTimeout=${scaled(managers.requestTimeoutMs, PATIENT_MS)}`,
    `managers.probe.interval=${scaled(managers.probe.intervalMs)}`,
    `managers.probe.timeout=${scaled(managers.probe.timeoutMs, PATIENT_MS)}`,
    `managers.probe.slow=${scaled(managers.probe.slowMs, PATIENT_MS / 2)}`,
    `server.drainTimeout=${scaled(server.drainTimeoutMs)}`,
    `keepAlive.grace=${scaled(keepAlive.graceMs)}`,
    `keepAlive.reconcile=${scaled(keepAlive.reconcileMs)}`,
    `keepAlive.lease=${scaled(keepAlive.leaseMs)}`,
  ];
}

/** Starts every node and waits until each is active. */
export async function settle(world: ShieldWorld<ShieldManager>): Promise<void> {
  await Promise.all(world.nodes.map((node) => node.start()));
  await world.allActive();
}
