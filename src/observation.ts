import { type AdminSource, adminRoutes } from './admin/admin-routes.js';
import { createConfigWatch } from './admin/api/config-state.js';
import { createLive } from './admin/api/live.js';
import { type StatusSource, statusOf } from './admin/api/status.js';
import { createEndpoints, type Endpoints } from './admin/endpoints.js';
import type { NodesSource } from './admin/nodes.js';
import type { Config, Mode } from './config/config.js';
import type { DataPath } from './data-path.js';
import type { Downstream } from './downstream/engine.js';
import type { OwnDirectory } from './durable/own-directory.js';
import type { KeepAlive } from './keepalive/create-keep-alive.js';
import type { Ports } from './keepalive/ports.js';
import type { Callers } from './observe/callers.js';
import { type Certificates, createCertificates } from './observe/certificates.js';
import type { Emit, GatewayEvent } from './observe/events.js';
import { createHistory, type History } from './observe/history.js';
import { logLineOf } from './observe/log-table.js';
import { createMetrics } from './observe/metrics.js';
import type { MeasuredNode } from './observe/node-metrics.js';
import type { Readiness } from './observe/readiness.js';
import type { RegistrationsPart } from './registrations/create-registrations.js';
import { READ_METHODS } from './route/method-table.js';
import { decodeResponse } from './route/proto.js';
import type { Clock } from './rpc/clock.js';
import type { AddressStatus, Upstream } from './upstream/upstream.js';
import { VERSION } from './version.js';
import type { Warmup } from './warmup/warmup.js';

export interface ObservationParts {
  readonly config: Config;
  readonly mode: () => Mode;
  readonly downstream: Pick<Downstream, 'connections'>;
  readonly upstream: Upstream;
  readonly dataPath: DataPath;
  readonly directory: Pick<OwnDirectory, 'held'>;
  readonly registrations: Pick<RegistrationsPart, 'look' | 'pending'>;
  readonly keepAlive: KeepAlive;
  readonly ports: Ports;
  readonly warmup: Pick<Warmup, 'look'>;
  readonly callers: Callers;
  readonly setMode: (mode: Mode) => void;
  readonly reload: AdminSource['reload'];
  readonly clock: Clock;
  readonly readiness: Readiness;
  /** Of the bus: who is to be told of every event. */
  readonly subscribers: ((event: GatewayEvent) => void)[];
  readonly emit: Emit;
}

export interface Observation {
  readonly endpoints: Endpoints;
  readonly history: Pick<History, 'start' | 'stop'>;
  readonly certificates: Certificates;
}

/** What hears of the events, and what can be asked for over HTTP. */
export function wireObservation(parts: ObservationParts): Observation {
  const { config, mode, downstream, upstream, dataPath, keepAlive, readiness, subscribers, emit } = parts;
  const certificates = createCertificates(parts);
  const metrics = createMetrics({
    version: VERSION,
    fleet: config.fleet.id,
    maxStaleMs: () => config.cache.maxStaleMs,
    readMethods: READ_METHODS,
    managerLabels: config.managers.addrs.map((_, index) => String(index)),
    mode,
    maintained: () => dataPath.maintenance.on,
    connections: () => downstream.connections,
    serving: () => readiness.serving,
    redisLost: () => dataPath.redis.lost,
    directoryMissing: () => config.snapshot.dir !== '' && !parts.directory.held,
    cacheBytes: () => dataPath.store.sizeBytes,
    cacheEntries: () => dataPath.store.count,
    flights: dataPath.flights,
    held: () => countHeld(dataPath),
    pendingRegistrations: parts.registrations.pending,
    frozen: () => dataPath.world.frozen !== undefined,
    certificates: certificates.expiries,
    nodes: () => measured(keepAlive, parts.ports),
    claims: () => keepAlive.claims(),
    breakers: dataPath.breakerStates,
    managers: () => upstream.statuses().map((status) => ({ ...status, healthy: isHealthy(status) })),
  });
  const history = createHistory({
    connections: () => downstream.connections,
    managers: () => upstream.statuses(),
    breakers: dataPath.breakerStates,
    clock: parts.clock,
  });
  const configWatch = createConfigWatch({ wallMs: () => parts.clock.wallMs() });
  const admin = adminSource(parts, statusSource(parts, history, configWatch.state));
  subscribers.push(
    metrics.subscriber,
    history.subscriber,
    configWatch.subscriber,
    admin.live.subscriber,
    (event) => react(parts, event),
  );
  readiness.subscribe(() => {
    if (!readiness.draining) emit({ kind: 'serving-changed', reason: readiness.reason });
  });
  const endpoints = createEndpoints({
    config,
    readiness,
    metrics,
    admin: adminRoutes(admin),
    onError: (error) => emit({ kind: 'internal-error', where: 'an http endpoint', error }),
  });
  return { endpoints, history, certificates };
}

function adminSource(parts: ObservationParts, status: StatusSource): AdminSource {
  const { config, dataPath, clock, emit } = parts;
  const nowMs = (): number => clock.nowMs();
  return {
    status,
    cache: { ...dataPath, limits: config.cache, decode: decodeResponse, nowMs },
    nodes: nodesSource(parts),
    callers: parts.callers,
    live: createLive({
      history: status.history,
      status: () => statusOf(status),
      lineOf: logLineOf,
      nowMs,
      wallMs: () => clock.wallMs(),
    }),
    world: dataPath.world,
    setMode: parts.setMode,
    reload: parts.reload,
    token: config.admin.token,
    emit,
  };
}

function statusSource(
  parts: ObservationParts,
  history: History,
  configState: StatusSource['configState'],
): StatusSource {
  const { config, mode, downstream, upstream, dataPath, readiness, keepAlive, clock } = parts;
  const { store, world, maintenance, breakerStates } = dataPath;
  return {
    version: VERSION,
    config,
    configState,
    mode,
    readiness,
    frozen: () => world.frozen,
    maintenance,
    managers: () => upstream.statuses(),
    trouble: () => upstream.describeTrouble(),
    breakers: breakerStates,
    history,
    connections: () => downstream.connections,
    cache: () => ({ entries: store.count, sizeBytes: store.sizeBytes }),
    nodes() {
      const nodes = measured(keepAlive, parts.ports);
      return {
        live: nodes.filter(({ alive }) => alive).length,
        disputed: nodes.filter(({ disputed }) => disputed).length,
      };
    },
    pendingRegistrations: parts.registrations.pending,
    clock,
    startedAtMs: clock.nowMs(),
  };
}

/** What one part has to do because of what happened in another. */
function react(
  { upstream, dataPath, registrations, warmup, readiness, keepAlive }: ObservationParts,
  event: GatewayEvent,
) {
  if (DECIDES_READINESS.has(event.kind)) readiness.refresh();
  if (event.kind === 'address-state-changed') {
    if (!upstream.healthy) dataPath.world.unsure();
    else if (dataPath.world.cleared()) registrations.look();
    if (event.to === 'healthy') keepAlive.managerReturned(event.address);
  }
  if (event.kind === 'world-cleared' || event.kind === 'world-accepted') registrations.look();
  if (DECIDES_WARMUP.has(event.kind)) warmup.look();
}

function countHeld({ store }: DataPath): number {
  let held = 0;
  for (const entry of store.entries()) if (entry.held !== undefined) held++;
  return held;
}

function measured({ shield, managersView }: KeepAlive, ports: Ports): MeasuredNode[] {
  return shield.nodes().map(({ key, node, state, alive, upstream }) => {
    // What was seen over a stream that is no more is no view of today.
    const disputed = alive && upstream !== undefined && managersView(key)?.disputedSinceMs !== undefined;
    return { type: node.kind, state, alive, disputed, port: ports.says(key) };
  });
}

function nodesSource({ keepAlive: { shield, managersView }, ports, clock }: ObservationParts): NodesSource {
  return {
    nodes: () => shield.nodes(),
    managersView,
    portSays: ports.says,
    forget: (is) => shield.forget(is),
    nowMs: () => clock.nowMs(),
  };
}

const DECIDES_READINESS = new Set<GatewayEvent['kind']>([
  'probe-finished',
  'address-state-changed',
  'resolve-failed',
  'cache-stored',
  'snapshot-loaded',
]);

const DECIDES_WARMUP = new Set<GatewayEvent['kind']>([
  'probe-finished',
  'address-state-changed',
  'mode-changed',
]);

function isHealthy({ state }: AddressStatus): boolean {
  return state === 'healthy' || state === 'slow';
}
