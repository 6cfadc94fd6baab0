import { onTestFinished } from 'vitest';
import { classify } from '../../src/breaker/classify.js';
import type { Mode } from '../../src/config/config.js';
import type { NodeId } from '../../src/keepalive/node.js';
import {
  createRegistrationsPart,
  type RegistrationsPart,
} from '../../src/registrations/create-registrations.js';
import { decodeRequest, decodeResponse, encodeRequest } from '../../src/route/proto.js';
import type { Reply, UnaryRequest } from '../../src/rpc/call.js';
import { systemClock } from '../../src/rpc/clock.js';
import type { AddressStatus } from '../../src/upstream/upstream.js';
import { configOf, responseOf } from './data-path.js';
import { type EventWatch, watchEvents } from './event-watch.js';
import { heldDirectory } from './held-directory.js';
import { NOT_FOUND, REFUSED } from './registrations-bench.js';
import { ok, ScriptedUpstream } from './scripted-upstream.js';

/** A manager of several replicas: has rows, and is there or is not. */
export interface RowsManager {
  there: boolean;
  /** What it was asked since it last began to count: "UpdateScheduler n 127.0.0.1". */
  readonly asked: string[];
  /** "n 127.0.0.1" */
  readonly rows: Set<string>;
  /** An answer to this is kept back until the promise resolves. */
  hold: ((request: UnaryRequest) => Promise<void> | undefined) | undefined;
  writes(): string[];
}

export function rowsManager(): RowsManager {
  const asked: string[] = [];
  return {
    there: true,
    asked,
    rows: new Set(),
    hold: undefined,
    writes: () => asked.filter((one) => !one.startsWith('Get')),
  };
}

function says(manager: RowsManager, { path, message }: UnaryRequest): Reply {
  if (!manager.there) return REFUSED;
  const { hostname, ip, port } = decodeRequest(path, message) as Record<string, string>;
  const method = path.slice(path.lastIndexOf('/') + 1);
  const row = `${hostname} ${ip}`;
  manager.asked.push(`${method} ${row}`);
  if (method === 'DeleteSeedPeer') {
    for (const one of manager.rows) if (one.startsWith(`${hostname} `)) manager.rows.delete(one);
    return ok(Buffer.alloc(0));
  }
  if (method.startsWith('Get') && !manager.rows.has(row)) return NOT_FOUND;
  manager.rows.add(row);
  return ok(responseOf(path, { id: '7', hostname, ip, port }));
}

/** The part as one of several replicas, on the time of the machine, because Redis's is that, too. */
export interface RegistrationsReplica extends Pick<EventWatch, 'events' | 'seen'> {
  readonly part: RegistrationsPart;
  alive: (node: NodeId) => boolean | undefined;
  mode: Mode;
  outcomes(): string[];
  /** As if it had been killed: it says nothing more to anybody. */
  vanish(): Promise<void>;
}

export interface ReplicaOptions {
  readonly manager: RowsManager;
  /** "": none. */
  readonly redis: string;
  readonly dir?: string;
  readonly sets?: readonly string[];
}

export async function registrationsReplica(options: ReplicaOptions): Promise<RegistrationsReplica> {
  const { manager } = options;
  const { events, subscriber, seen } = watchEvents();
  const config = configOf('', [
    'warmup.rate=1000',
    'fleet.id=f1',
    ...(options.redis === '' ? [] : [`redis.addrs=["${options.redis}"]`]),
    // Long, where it is not what is tested, because the machine is shared.
    'redis.timeout=5s',
    `snapshot.dir=${options.dir ?? ''}`,
    ...(options.sets ?? []),
  ]);
  const upstream = new ScriptedUpstream(systemClock);
  const scripted = upstream.unary.bind(upstream);
  upstream.auto = (request) => says(manager, request);
  upstream.unary = async (request) => {
    if (vanished) return new Promise(() => undefined);
    await manager.hold?.(request);
    return scripted(request);
  };
  Object.defineProperty(upstream, 'healthy', { get: () => manager.there });
  upstream.statuses = () => (manager.there ? [] : [{ state: 'failed' } as AddressStatus]) as never;
  let vanished = false;
  const replica: RegistrationsReplica = {
    events,
    seen,
    alive: () => undefined,
    mode: 'answer',
    outcomes: () => events.flatMap((one) => (one.kind === 'registration-replayed' ? [one.outcome] : [])),
    async vanish() {
      vanished = true;
      await part.stop();
    },
    part: undefined as never,
  };
  const part = createRegistrationsPart({
    config,
    directory: heldDirectory(config.snapshot.dir),
    mode: () => replica.mode,
    upstream,
    codec: { decodeRequest, decodeResponse, encodeRequest },
    frozen: () => undefined,
    cleared: () => true,
    isAlive: (node) => replica.alive(node),
    acknowledged: () => undefined,
    registered: () => undefined,
    written: () => undefined,
    classify,
    clock: systemClock,
    emit: subscriber,
  });
  await part.load();
  onTestFinished(() => part.stop());
  return Object.assign(replica, { part });
}

/** Looks again and again, as the changes of a manager's health would, until it holds. */
export async function lookingUntil(
  replicas: readonly RegistrationsReplica[],
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  while (!(await holds())) {
    for (const { part } of replicas) part.look();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
