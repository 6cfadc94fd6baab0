import type { Endpoints } from './admin/endpoints.js';
import type { Snapshot } from './cache/snapshot/snapshot.js';
import { formatHostPort } from './config/addresses.js';
import type { Config, Mode } from './config/config.js';
import type { DataPath } from './data-path.js';
import type { Downstream } from './downstream/engine.js';
import type { MemoryWatch } from './downstream/memory-watch.js';
import type { OwnDirectory } from './durable/own-directory.js';
import { GatewayError } from './errors.js';
import type { NodesFile } from './keepalive/nodes-file.js';
import type { Ports } from './keepalive/ports.js';
import type { Shield } from './keepalive/shield.js';
import type { Certificates } from './observe/certificates.js';
import type { Emit } from './observe/events.js';
import type { History } from './observe/history.js';
import type { RegistrationsPart } from './registrations/create-registrations.js';
import type { OpenEnded } from './route/open-ended.js';
import { loadServiceDefinitions } from './route/proto.js';
import type { Clock } from './rpc/clock.js';
import { inTime } from './rpc/in-time.js';
import type { Tracing } from './trace/tracing.js';
import type { Upstream } from './upstream/upstream.js';
import { VERSION } from './version.js';
import type { Warmup } from './warmup/warmup.js';

/** Where a running gateway can be reached; undefined: not enabled. */
export interface BoundAddresses {
  readonly listen: { readonly host: string; readonly port: number };
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  readonly admin: { readonly host: string; readonly port: number } | undefined;
}

/** The start and the two ways to end, in the order in which the parts need each other. */
export interface Lifecycle {
  start(): Promise<BoundAddresses>;
  drain(): Promise<{ readonly clean: boolean }>;
  stop(): Promise<void>;
}

export interface LifecycleParts {
  readonly config: Pick<Config, 'server'>;
  readonly mode: () => Mode;
  readonly downstream: Downstream;
  readonly memory: MemoryWatch;
  readonly shield: Shield;
  readonly openEnded: Pick<OpenEnded, 'drain'>;
  readonly nodesFile: NodesFile;
  readonly upstream: Upstream;
  readonly dataPath: Pick<DataPath, 'redis' | 'stop'>;
  readonly directory: OwnDirectory;
  readonly snapshot: Snapshot;
  readonly registrations: Pick<RegistrationsPart, 'load' | 'stop'>;
  readonly warmup: Warmup;
  readonly tracing: Pick<Tracing, 'start' | 'stop'>;
  readonly endpoints: Endpoints;
  readonly history: Pick<History, 'start' | 'stop'>;
  readonly ports: Pick<Ports, 'start' | 'stop'>;
  readonly certificates: Pick<Certificates, 'start' | 'stop'>;
  /** From now on health says so. */
  readonly drainBegun: () => void;
  /** What has been said is written. */
  readonly flushLog: () => void;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** A part of `server.drainTimeout` is left for closing channels and servers, so that the whole stays below it. */
const CLOSING_SHARE = 0.1;
const CLOSING_MAX_MS = 2_000;

/** How long a stop without a drain may take. */
const STOP_MS = 10_000;

export function createLifecycle(parts: LifecycleParts): Lifecycle {
  const { clock, emit, downstream, shield, openEnded } = parts;
  return {
    async start() {
      try {
        return await start(parts);
      } catch (error) {
        await stop(parts, clock.nowMs() + STOP_MS);
        throw error;
      }
    },
    async drain() {
      const { drainTimeoutMs } = parts.config.server;
      const closingMs = Math.min(CLOSING_MAX_MS, drainTimeoutMs * CLOSING_SHARE);
      const deadlineMs = clock.nowMs() + drainTimeoutMs - closingMs;
      parts.drainBegun();
      emit({ kind: 'draining', connections: downstream.connections });
      const drained = downstream.drain(deadlineMs);
      const [{ clean }] = await Promise.all([drained, shield.drain(deadlineMs), openEnded.drain(deadlineMs)]);
      await stop(parts, clock.nowMs() + closingMs);
      emit({
        kind: 'stopped',
        clean,
        detail: clean ? 'every call was finished' : 'server.drainTimeout was near; what was open was cut',
      });
      return { clean };
    },
    stop: () => stop(parts, clock.nowMs() + STOP_MS),
  };
}

async function start(parts: LifecycleParts): Promise<BoundAddresses> {
  const { downstream, shield, upstream, dataPath, directory, snapshot, registrations, warmup, tracing } =
    parts;
  const { metricsServer, adminServer } = parts.endpoints;
  // A package without its proto files is to fail here, not to forward everything unread.
  loadServiceDefinitions();
  const [metrics, admin] = [await metricsServer?.listen(), await adminServer?.listen()];
  await directory.take();
  const loads = [snapshot.load(), registrations.load(), warmup.load(), parts.nodesFile.load()];
  await Promise.all([...loads, dataPath.redis.start().then(() => warmup.loadShared()), tracing.start()]);
  upstream.start();
  shield.start();
  parts.nodesFile.start();
  parts.memory.start();
  const listen = await downstream.listen();
  snapshot.start();
  warmup.start();
  parts.history.start();
  parts.ports.start();
  parts.certificates.start();
  const bound = { listen, metrics, admin };
  parts.emit({ kind: 'started', version: VERSION, mode: parts.mode(), ...texts(bound) });
  return bound;
}

/** `deadlineMs` on the monotonic clock. */
async function stop(parts: LifecycleParts, deadlineMs: number): Promise<void> {
  const { clock, emit, downstream, shield, upstream, directory, snapshot, registrations, warmup, tracing } =
    parts;
  const { metricsServer, adminServer } = parts.endpoints;
  // First, so that none of those whose connections are cut now is given its grace.
  parts.history.stop();
  parts.ports.stop();
  parts.certificates.stop();
  const shielded = shield.stop();
  downstream.close();
  parts.memory.stop();
  await shielded;
  // No caller is left. What is still asked is asked for nobody, and a frozen manager must not hold up the end.
  await Promise.all([upstream.stop(clock.nowMs()), metricsServer?.stop(), adminServer?.stop()]);
  // A disk that hangs must not hold it up either; what was acknowledged is on it already.
  const files = [snapshot.stop(), registrations.stop(), warmup.stop(), parts.nodesFile.stop()];
  const closed = Promise.all(files).then(() => directory.release());
  const written = await inTime(clock, deadlineMs, [closed, tracing.stop()]);
  if (!written) {
    const error = new GatewayError(
      'internal',
      'snapshot.dir, or the receiver of traces, takes too long; the last state may be missing',
    );
    emit({ kind: 'internal-error', where: 'writing the last snapshot', error });
  }
  // Each ends within `redis.timeout`.
  await parts.dataPath.redis.settled();
  parts.dataPath.stop();
  parts.flushLog();
}

/** For the log; "" where something is not enabled. */
function texts(bound: BoundAddresses): { listen: string; metrics: string; admin: string } {
  const text = (addr: BoundAddresses['metrics']): string => (addr === undefined ? '' : formatHostPort(addr));
  return { listen: text(bound.listen), metrics: text(bound.metrics), admin: text(bound.admin) };
}
