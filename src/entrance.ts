import { isRefusal } from './breaker/classify.js';
import { createClientRules } from './clients/client-rules.js';
import type { Config } from './config/config.js';
import type { DataPath } from './data-path.js';
import type { Downstream } from './downstream/engine.js';
import { createLocalHealth, type LocalHealth } from './downstream/local-health.js';
import { createMemoryWatch, type MemoryWatch } from './downstream/memory-watch.js';
import { createDownstream } from './downstream/server.js';
import type { Ground } from './ground.js';
import type { NodeKeeping } from './node-keeping.js';
import { type Callers, createCallers } from './observe/callers.js';
import { createReadiness, type Readiness } from './observe/readiness.js';
import { type AtOnceOptions, createAtOnce } from './route/at-once.js';
import type { Classifier } from './route/classify.js';
import { createDispatch, type DispatchOptions } from './route/dispatch.js';
import { decodeRequest } from './route/proto.js';
import { NO_TRACING } from './trace/tracing.js';
import type { Upstream } from './upstream/upstream.js';
import type { Warmup } from './warmup/warmup.js';

/** Where callers come in: the listener, who may, what health says to them, and which way each call is sent. */
export interface Entrance {
  readonly downstream: Downstream;
  readonly readiness: Readiness;
  readonly callers: Callers;
  readonly memory: MemoryWatch;
  /** From now on health says so. */
  readonly drainBegun: () => void;
}

export interface EntranceOptions {
  readonly ground: Ground;
  readonly upstream: Upstream;
  readonly dataPath: DataPath;
  readonly classifier: Classifier;
  readonly nodeKeeping: NodeKeeping;
  readonly warmup: Pick<Warmup, 'coldReason'>;
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

export function createEntrance(options: EntranceOptions): Entrance {
  const { ground, upstream, dataPath, warmup } = options;
  const { config, clock } = ground;
  let draining = false;
  const readiness = createReadiness({
    managerHealthy: () => upstream.healthy,
    trouble: () => upstream.describeTrouble(),
    warm: () => dataPath.store.count > 0,
    draining: () => draining,
    cold: () => warmup.coldReason,
  });
  const memory = createMemoryWatch({
    ...ground,
    limitBytes: () => config.server.limits.memory,
    residentBytes: () => process.memoryUsage.rss(),
    allowedBytes: () => process.constrainedMemory() ?? 0,
  });
  const callers = createCallers({ clock });
  const health = createLocalHealth({ readiness, serviceOf, services: HEALTH_SERVICES });
  const route = routeOf(options, { health, draining: () => draining });
  const downstream = createDownstream({
    ...ground,
    listen: config.server.listen,
    tls: config.server.tls,
    limits: config.server,
    callers,
    handler: createDispatch(route),
    // A trace shows the stages, so a call that is traced passes them.
    ...(ground.tracing === NO_TRACING && { atOnce: createAtOnce(route) }),
    objection: () => memory.objection(),
    maxMessageBytesFor: (path) => maxMessageBytesFor(path, config),
  });
  return {
    downstream,
    readiness,
    callers,
    memory,
    drainBegun() {
      draining = true;
      readiness.refresh();
    },
  };
}

/** Which way calls are sent. */
function routeOf(
  { ground, upstream, dataPath, classifier, nodeKeeping }: EntranceOptions,
  { health, draining }: { readonly health: LocalHealth; readonly draining: () => boolean },
): DispatchOptions & AtOnceOptions {
  const { config, emit } = ground;
  const { registrations, keepAlive, openEnded } = nodeKeeping;
  return {
    ...ground,
    ...createClientRules({ section: config.server.clients, decodeRequest, emit }),
    ...dataPath,
    classifier,
    isRefusal: ({ status }) => isRefusal(status),
    serveHealth: (call, method) => health.serve(call, method),
    checkHealth: (request) => health.checkNow(request),
    draining,
    registrations,
    shield: keepAlive.shield,
    upstream,
    openEnded,
    requestTimeoutMs: config.managers.requestTimeoutMs,
  };
}

function maxMessageBytesFor(path: string, { server }: Pick<Config, 'server'>): number {
  if (path !== '/manager.Manager/CreateModel') return server.maxMessageBytes;
  return Math.max(TRAINED_MODEL_BYTES, server.maxMessageBytes);
}

function serviceOf(request: Buffer): string {
  // The server as a whole: what every daemon asks as it connects.
  if (request.length === 0) return '';
  return String(decodeRequest('/grpc.health.v1.Health/Check', request).service ?? '');
}
