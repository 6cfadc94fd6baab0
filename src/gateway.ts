import { classify, isRefusal } from './breaker/classify.js';
import { createSnapshot } from './cache/snapshot/snapshot.js';
import { createClientRules } from './clients/client-rules.js';
import type { Config, Mode } from './config/config.js';
import { type Change, createRunningConfig } from './config/running-config.js';
import { createDataPath } from './data-path.js';
import { createLocalHealth } from './downstream/local-health.js';
import { createMemoryWatch } from './downstream/memory-watch.js';
import { createDownstream } from './downstream/server.js';
import { systemBootClock } from './durable/boot-clock.js';
import { createOwnDirectory } from './durable/own-directory.js';
import { createKeepAlive } from './keepalive/create-keep-alive.js';
import { createPorts } from './keepalive/ports.js';
import { type BoundAddresses, createLifecycle } from './lifecycle.js';
import { wireObservation } from './observation.js';
import { createBus } from './observe/bus.js';
import { createCallers } from './observe/callers.js';
import type { Emit, GatewayEvent } from './observe/events.js';
import { createLog } from './observe/log.js';
import { createReadiness, type Readiness } from './observe/readiness.js';
import { createRegistrationsPart } from './registrations/create-registrations.js';
import { createAtOnce } from './route/at-once.js';
import { createClassifier } from './route/classify.js';
import { createDispatch, type DispatchOptions } from './route/dispatch.js';
import { methodLabel } from './route/method-table.js';
import { createOpenEnded } from './route/open-ended.js';
import { decodeRequest, decodeResponse, encodeRequest, requestFieldNumbers } from './route/proto.js';
import { type Clock, systemClock } from './rpc/clock.js';
import { createTracing } from './trace/tracing.js';
import { createUpstream } from './upstream/create-upstream.js';
import type { AddressStatus } from './upstream/upstream.js';
import { VERSION } from './version.js';
import { createWarmup } from './warmup/warmup.js';

export type { BoundAddresses };

export interface Gateway {
  /** Binds every address; rejects with `listen-failed`, and then nothing is left open. */
  start(): Promise<BoundAddresses>;
  readonly mode: Mode;
  setMode(mode: Mode): void;
  /** Takes what can change while it runs; the event says what was applied, and what needs a restart. */
  reconfigure(next: Config): Change;
  /** Reads the configuration again, from where it came. A bad one is refused, and the old one goes on. */
  reload(): Reloaded;
  readonly emit: Emit;
  readonly readiness: Readiness;
  managers(): readonly AddressStatus[];
  /** Health says NOT_SERVING, GOAWAY, what is in flight finishes; resolves before `server.drainTimeout`. */
  drain(): Promise<{ readonly clean: boolean }>;
  /** At once. */
  stop(): Promise<void>;
}

/** How a reload ended. `detail`: everything that is wrong with the configuration. */
export type Reloaded =
  | { readonly kind: 'read'; readonly change: Change }
  | { readonly kind: 'refused'; readonly detail: string };

export interface GatewayOptions {
  readonly config: Config;
  /** Reads the configuration again, from the same sources; throws `config-invalid`. Without it a reload reads what it started with. */
  readonly load?: () => Config;
  readonly clock?: Clock;
  /** Uniform in [0, 1), for jitter. */
  readonly random?: () => number;
  readonly logDestination?: { write(line: string): void };
  /** Told of every event, besides log and metrics. */
  readonly subscriber?: (event: GatewayEvent) => void;
}

/** CreateModel uploads a trained model; every other request is small. */
const TRAINED_MODEL_BYTES = 256 * 1024 * 1024;

/** The services that health can be asked about, by name. */
const HEALTH_SERVICES = new Set([
  'manager.v2.Manager',
  'manager.Manager',
  'security.Certificate',
  'grpc.health.v1.Health',
]);

/** What lists do not say of their nodes, and KeepAlive messages do. */
const SOURCE = { scheduler: 'SCHEDULER_SOURCE', 'seed-peer': 'SEED_PEER_SOURCE' } as const;

/** The composition root: everything is made here, and nothing elsewhere. */
export function createGateway(options: GatewayOptions): Gateway {
  const running = createRunningConfig(options.config);
  const { config } = running;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  let mode: Mode = config.mode;
  let draining = false;

  const log = createLog({
    level: config.log.level,
    clock,
    destination: options.logDestination ?? process.stdout,
  });
  const subscribers: ((event: GatewayEvent) => void)[] = [log.subscriber];
  const emit = createBus(subscribers, (error) =>
    log.subscriber({ kind: 'internal-error', where: 'a subscriber of events', error }),
  );

  const tracing = createTracing({
    config: config.tracing,
    version: VERSION,
    onError: (error) => emit({ kind: 'internal-error', where: 'sending spans', error }),
  });
  const upstream = createUpstream({ managers: config.managers, classify, methodLabel, clock, random, emit });
  const dataPath = createDataPath({
    config,
    upstream,
    tracing,
    mode: () => mode,
    clock,
    random,
    emit,
    isAlive: (listed) => shield.isAlive({ ...listed, source: SOURCE[listed.kind] }) === true,
  });
  const directory = createOwnDirectory({
    dir: config.snapshot.dir,
    fleetId: config.fleet.id,
    bootId: systemBootClock()?.bootId,
    clock,
    emit,
  });
  const snapshot = createSnapshot({
    limits: { ...config.snapshot, ...config.cache },
    directory,
    fleetId: config.fleet.id,
    ...dataPath,
    clock,
    bootClock: systemBootClock,
    emit,
  });
  const classifier = createClassifier({
    fleetId: config.fleet.id,
    decoder: { decodeRequest, requestFieldNumbers },
  });
  const warmup = createWarmup({
    config,
    directory,
    mode: () => mode,
    ...dataPath,
    questionOf: (path, message) => classifier.question(path, message),
    upstream,
    clock,
    random,
    emit,
  });
  const registrations = createRegistrationsPart({
    config,
    directory,
    mode: () => mode,
    upstream,
    codec: { decodeRequest, decodeResponse, encodeRequest },
    frozen: () => dataPath.world.frozen,
    cleared: () => dataPath.world.cleared(),
    isAlive: (node) => shield.isAlive(node),
    acknowledged: (node) => shield.registered(node),
    written: (path, request) => dataPath.written(classifier.touched(path, request)),
    registered: (node) => shield.madeActive(node),
    turn: () => dataPath.pace.turn(),
    classify,
    clock,
    emit,
  });
  const openEnded = createOpenEnded({ forward: (call) => upstream.forward(call), clock, random });
  const keepAlive = createKeepAlive({
    config,
    mode: () => mode,
    directory,
    bootClock: systemBootClock,
    upstream,
    codec: { decodeRequest, decodeResponse, encodeRequest },
    classify,
    forward: (call) => openEnded.forward(call),
    // Told at the opening of a stream, which no cache is asked for, or by a witness that is believed.
    replayNode: (node) => registrations.replayNode(node, { force: true }),
    came: (node) => registrations.aliveNow(node),
    clock,
    random,
    emit,
  });
  const { shield, nodesFile } = keepAlive;
  const readiness = createReadiness({
    managerHealthy: () => upstream.healthy,
    trouble: () => upstream.describeTrouble(),
    warm: () => dataPath.store.count > 0,
    draining: () => draining,
    cold: () => warmup.coldReason,
  });
  const clients = createClientRules({ section: config.server.clients, decodeRequest, emit });
  const route: DispatchOptions = {
    mode: () => mode,
    ...clients,
    classifier,
    ...dataPath,
    isRefusal: ({ status }) => isRefusal(status),
    serveHealth: createLocalHealth({ readiness, serviceOf, services: HEALTH_SERVICES }),
    draining: () => draining,
    registrations,
    shield,
    upstream,
    openEnded,
    tracing,
    requestTimeoutMs: config.managers.requestTimeoutMs,
    clock,
    emit,
  };
  const memory = createMemoryWatch({
    limitBytes: () => config.server.limits.memory,
    residentBytes: () => process.memoryUsage.rss(),
    allowedBytes: () => process.constrainedMemory() ?? 0,
    clock,
    emit,
  });
  const callers = createCallers({ clock });
  const downstream = createDownstream({
    listen: config.server.listen,
    tls: config.server.tls,
    limits: config.server,
    callers,
    clock,
    emit,
    handler: createDispatch(route),
    atOnce: createAtOnce(route),
    objection: () => memory.objection(),
    maxMessageBytesFor: (path) =>
      path === '/manager.Manager/CreateModel' ? TRAINED_MODEL_BYTES : config.server.maxMessageBytes,
  });
  const ports = createPorts({
    intervalMs: config.keepAlive.portCheckMs,
    nodes: () => shield.nodes(),
    portOf: registrations.portOf,
    clock,
    random,
  });
  const { endpoints, history, certificates } = wireObservation({
    config,
    mode: () => mode,
    downstream,
    upstream,
    dataPath,
    directory,
    registrations,
    keepAlive,
    ports,
    warmup,
    callers,
    setMode: (next) => setMode(next),
    reload: () => reload(),
    readiness,
    clock,
    subscribers,
    emit,
  });
  if (options.subscriber !== undefined) subscribers.push(options.subscriber);
  const lifecycle = createLifecycle({
    config,
    mode: () => mode,
    downstream,
    memory,
    shield,
    openEnded,
    nodesFile,
    upstream,
    dataPath,
    directory,
    snapshot,
    registrations,
    warmup,
    tracing,
    endpoints,
    history,
    ports,
    certificates,
    drainBegun() {
      draining = true;
      readiness.refresh();
    },
    flushLog: () => log.flush(),
    clock,
    emit,
  });

  const setMode = (next: Mode): void => {
    if (next === mode) return;
    const from = mode;
    // In bypass writes pass unread: what was remembered before may have been written to since.
    if (from === 'bypass') dataPath.written(undefined);
    if (from === 'bypass' || next === 'bypass') dataPath.world.unread();
    mode = next;
    emit({ kind: 'mode-changed', from, to: next });
  };

  const reconfigure = (next: Config): Change => {
    const change = running.apply(next);
    const has = (key: string): boolean => change.applied.includes(key);
    if (has('mode')) setMode(next.mode);
    if (has('log.level')) log.setLevel(next.log.level);
    if (has('managers.addrs')) upstream.setAddresses(config.managers.addrs);
    if (change.applied.some((key) => key.includes('.tls.'))) {
      downstream.renewTls();
      certificates.look();
    }
    emit({ kind: 'config-reloaded', ...change });
    return change;
  };
  const reload = (): Reloaded => {
    try {
      return { kind: 'read', change: reconfigure(options.load?.() ?? options.config) };
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      emit({ kind: 'config-refused', detail });
      return { kind: 'refused', detail };
    }
  };

  return {
    ...lifecycle,
    get mode() {
      return mode;
    },
    setMode,
    reconfigure,
    reload,
    emit,
    readiness,
    managers: () => upstream.statuses(),
  };
}

function serviceOf(request: Buffer): string {
  // The server as a whole: what every daemon asks as it connects.
  if (request.length === 0) return '';
  return String(decodeRequest('/grpc.health.v1.Health/Check', request).service ?? '');
}
