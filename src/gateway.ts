import { createEndpoints } from './admin/endpoints.js';
import { classify, isRefusal } from './breaker/classify.js';
import { createSnapshot } from './cache/snapshot/snapshot.js';
import { formatHostPort } from './config/addresses.js';
import type { Config, Mode } from './config/config.js';
import { createDataPath } from './data-path.js';
import { createLocalHealth } from './downstream/local-health.js';
import { createDownstream } from './downstream/server.js';
import { systemBootClock } from './durable/boot-clock.js';
import { GatewayError } from './errors.js';
import { createBus } from './observe/bus.js';
import type { Emit, GatewayEvent } from './observe/events.js';
import { createLog } from './observe/log.js';
import { createMetrics } from './observe/metrics.js';
import { createReadiness, type Readiness } from './observe/readiness.js';
import { createRegistrationsPart } from './registrations/create-registrations.js';
import { createClassifier } from './route/classify.js';
import { createDispatch } from './route/dispatch.js';
import { methodLabel, READ_METHODS } from './route/method-table.js';
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  loadServiceDefinitions,
  requestFieldNumbers,
} from './route/proto.js';
import { type Clock, systemClock } from './rpc/clock.js';
import { inTime } from './rpc/in-time.js';
import { createUpstream } from './upstream/create-upstream.js';
import type { AddressStatus } from './upstream/upstream.js';
import { VERSION } from './version.js';
import { createWarmup } from './warmup/warmup.js';

/** Where a running gateway can be reached; undefined: not enabled. */
export interface BoundAddresses {
  readonly listen: { readonly host: string; readonly port: number };
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  readonly admin: { readonly host: string; readonly port: number } | undefined;
}

export interface Gateway {
  /** Binds every address; rejects with `listen-failed`, and then nothing is left open. */
  start(): Promise<BoundAddresses>;
  readonly mode: Mode;
  setMode(mode: Mode): void;
  setLogLevel(level: Config['log']['level']): void;
  readonly emit: Emit;
  readonly readiness: Readiness;
  managers(): readonly AddressStatus[];
  /** Health says NOT_SERVING, GOAWAY, what is in flight finishes; resolves before `server.drainTimeout`. */
  drain(): Promise<{ readonly clean: boolean }>;
  /** At once. */
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly config: Config;
  readonly clock?: Clock;
  /** Uniform in [0, 1), for jitter. */
  readonly random?: () => number;
  readonly logDestination?: { write(line: string): void };
  /** Told of every event, besides log and metrics. */
  readonly subscriber?: (event: GatewayEvent) => void;
}

/** A part of `server.drainTimeout` is left for closing channels and servers, so that the whole stays below it. */
const CLOSING_SHARE = 0.1;
const CLOSING_MAX_MS = 2_000;

/** How long a stop without a drain may take. */
const STOP_MS = 10_000;

/** CreateModel uploads a trained model; every other request is small. */
const TRAINED_MODEL_BYTES = 256 * 1024 * 1024;

/** The services that health can be asked about, by name. */
const HEALTH_SERVICES = new Set([
  'manager.v2.Manager',
  'manager.Manager',
  'security.Certificate',
  'grpc.health.v1.Health',
]);

/** The composition root: everything is made here, and nothing elsewhere. */
export function createGateway(options: GatewayOptions): Gateway {
  const { config } = options;
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

  const upstream = createUpstream({ managers: config.managers, classify, methodLabel, clock, random, emit });
  const dataPath = createDataPath({ config, upstream, clock, random, emit });
  const snapshot = createSnapshot({
    limits: { ...config.snapshot, ...config.cache },
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
    upstream,
    codec: { decodeRequest, decodeResponse, encodeRequest },
    frozen: () => dataPath.world.frozen,
    cleared: () => dataPath.world.cleared(),
    // Until the shield of KeepAlive streams is built nobody knows.
    isAlive: () => undefined,
    written: (path, request) => dataPath.written(classifier.touched(path, request)),
    classify,
    clock,
    emit,
  });
  const readiness = createReadiness({
    managerHealthy: () => upstream.healthy,
    trouble: () => upstream.describeTrouble(),
    warm: () => dataPath.store.count > 0,
    draining: () => draining,
    cold: () => warmup.coldReason,
  });
  const dispatch = createDispatch({
    mode: () => mode,
    classifier,
    ...dataPath,
    isRefusal: ({ status }) => isRefusal(status),
    serveHealth: createLocalHealth({ readiness, serviceOf, services: HEALTH_SERVICES }),
    draining: () => draining,
    registrations,
    upstream,
    requestTimeoutMs: config.managers.requestTimeoutMs,
    clock,
    emit,
  });
  const downstream = createDownstream({
    ...config.server,
    clock,
    emit,
    handler: dispatch,
    maxMessageBytesFor: (path) =>
      path === '/manager.Manager/CreateModel' ? TRAINED_MODEL_BYTES : config.server.maxMessageBytes,
  });
  const metrics = createMetrics({
    version: VERSION,
    readMethods: READ_METHODS,
    mode: () => mode,
    connections: () => downstream.connections,
    serving: () => readiness.serving,
    cacheBytes: () => dataPath.store.sizeBytes,
    cacheEntries: () => dataPath.store.count,
    flights: dataPath.flights,
    frozen: () => dataPath.world.frozen !== undefined,
    breakers: dataPath.breakerStates,
    managers: () => upstream.statuses().map((status) => ({ ...status, healthy: isHealthy(status) })),
  });
  subscribers.push(metrics.subscriber, (event) => {
    if (DECIDES_READINESS.has(event.kind)) readiness.refresh();
    if (event.kind === 'address-state-changed') {
      if (!upstream.healthy) dataPath.world.unsure();
      else if (dataPath.world.cleared()) registrations.look();
    }
    if (event.kind === 'world-cleared' || event.kind === 'world-accepted') registrations.look();
    if (DECIDES_WARMUP.has(event.kind)) warmup.look();
  });
  readiness.subscribe(() => {
    if (!readiness.draining) emit({ kind: 'serving-changed', reason: readiness.reason });
  });
  if (options.subscriber !== undefined) subscribers.push(options.subscriber);

  const onError = (error: unknown): void =>
    emit({ kind: 'internal-error', where: 'an http endpoint', error });
  const { metricsServer, adminServer } = createEndpoints({
    config,
    readiness,
    metrics,
    world: dataPath.world,
    onError,
  });

  const stop = async (deadlineMs = clock.nowMs() + STOP_MS): Promise<void> => {
    downstream.close();
    // No caller is left. What is still asked is asked for nobody, and a frozen manager must not hold up the end.
    await Promise.all([upstream.stop(clock.nowMs()), metricsServer?.stop(), adminServer?.stop()]);
    // A disk that hangs must not hold it up either; what was acknowledged is on it already.
    const written = await inTime(clock, deadlineMs, [snapshot.stop(), registrations.stop(), warmup.stop()]);
    if (!written) {
      const error = new GatewayError(
        'internal',
        'snapshot.dir takes too long; its last state may be missing',
      );
      emit({ kind: 'internal-error', where: 'writing the last snapshot', error });
    }
    dataPath.stop();
    log.flush();
  };

  return {
    async start() {
      try {
        // A package without its proto files is to fail here, not to forward everything unread.
        loadServiceDefinitions();
        const [metricsBound, adminBound] = [await metricsServer?.listen(), await adminServer?.listen()];
        await Promise.all([snapshot.load(), registrations.load(), warmup.load(), dataPath.redis.start()]);
        upstream.start();
        const listen = await downstream.listen();
        snapshot.start();
        warmup.start();
        const bound = { listen, metrics: metricsBound, admin: adminBound };
        emit({ kind: 'started', version: VERSION, mode, ...texts(bound) });
        return bound;
      } catch (error) {
        await stop();
        throw error;
      }
    },
    get mode() {
      return mode;
    },
    setMode(next) {
      if (next === mode) return;
      const from = mode;
      // In bypass writes pass unread: what was remembered before may have been written to since.
      if (from === 'bypass') dataPath.written(undefined);
      mode = next;
      emit({ kind: 'mode-changed', from, to: next });
    },
    setLogLevel: (level) => log.setLevel(level),
    emit,
    readiness,
    managers: () => upstream.statuses(),
    async drain() {
      const deadlineMs = clock.nowMs() + drainMs(config.server.drainTimeoutMs);
      draining = true;
      readiness.refresh();
      emit({ kind: 'draining', connections: downstream.connections });
      const { clean } = await downstream.drain(deadlineMs);
      await stop(clock.nowMs() + closingMs(config.server.drainTimeoutMs));
      emit({
        kind: 'stopped',
        clean,
        detail: clean ? 'every call was finished' : 'server.drainTimeout was near; what was open was cut',
      });
      return { clean };
    },
    stop: () => stop(),
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

/** For the log; "" where something is not enabled. */
function texts(bound: BoundAddresses): { listen: string; metrics: string; admin: string } {
  const text = (addr: BoundAddresses['metrics']): string => (addr === undefined ? '' : formatHostPort(addr));
  return { listen: text(bound.listen), metrics: text(bound.metrics), admin: text(bound.admin) };
}

function drainMs(drainTimeoutMs: number): number {
  return drainTimeoutMs - closingMs(drainTimeoutMs);
}

function closingMs(drainTimeoutMs: number): number {
  return Math.min(CLOSING_MAX_MS, drainTimeoutMs * CLOSING_SHARE);
}

function isHealthy({ state }: AddressStatus): boolean {
  return state === 'healthy' || state === 'slow';
}

function serviceOf(request: Buffer): string {
  return String(decodeRequest('/grpc.health.v1.Health/Check', request).service ?? '');
}
