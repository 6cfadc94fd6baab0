import { classify } from '../../src/breaker/classify.js';
import type { NodeId } from '../../src/keepalive/node.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import {
  createRegistrationsPart,
  type RegistrationsPart,
} from '../../src/registrations/create-registrations.js';
import { decodeRequest, decodeResponse, encodeRequest } from '../../src/route/proto.js';
import type { Reply, UnaryRequest } from '../../src/rpc/call.js';
import type { AddressStatus } from '../../src/upstream/upstream.js';
import { configOf, requestOf, responseOf } from './data-path.js';
import { heldDirectory } from './held-directory.js';
import { ManualClock } from './manual-clock.js';
import { ended, ok, ScriptedUpstream } from './scripted-upstream.js';

export const REFUSED = ended(14, 'connect ECONNREFUSED');
export const NOT_FOUND = ended(13, 'record not found');
export const NODE = { hostname: 'n', ip: '127.0.0.1', port: 8002 };
export const ANSWERED = ok(responseOf('/manager.v2.Manager/GetScheduler', { id: '7', ...NODE }));

/** A registration, as a caller sends it. */
export function registering(
  kind: NodeId['kind'],
  over: object = {},
  api = 'manager.v2.Manager',
): UnaryRequest {
  const method = kind === 'scheduler' ? 'UpdateScheduler' : 'UpdateSeedPeer';
  const cluster = kind === 'scheduler' ? 'scheduler_cluster_id' : 'seed_peer_cluster_id';
  const source_type = kind === 'scheduler' ? 'SCHEDULER_SOURCE' : 'SEED_PEER_SOURCE';
  return asking(`/${api}/${method}`, { source_type, [cluster]: '1', ...NODE, ...over });
}

export function deleting(over: object = {}): UnaryRequest {
  const who = { source_type: 'SEED_PEER_SOURCE', hostname: 'n', seed_peer_cluster_id: '1' };
  return asking('/manager.v2.Manager/DeleteSeedPeer', { ...who, ...over });
}

function asking(path: string, fields: object): UnaryRequest {
  return { path, metadata: {}, message: requestOf(path, fields), deadlineMs: 11_000, signal: undefined };
}

/** The node of `registering(kind, over)`, as its KeepAlive stream names it. */
export function nodeOf(kind: NodeId['kind'], over: Partial<NodeId> = {}): NodeId {
  const source = kind === 'scheduler' ? 'SCHEDULER_SOURCE' : 'SEED_PEER_SOURCE';
  return { kind, source, clusterId: '1', hostname: NODE.hostname, ip: NODE.ip, ...over };
}

/** The part, with a manager, a clock and the life of nodes in the test's hand. */
export interface RegistrationsBench {
  readonly part: RegistrationsPart;
  readonly clock: ManualClock;
  readonly upstream: ScriptedUpstream;
  readonly events: GatewayEvent[];
  /** What the manager was asked, by the last part of the path, since it last changed. */
  readonly seen: UnaryRequest[];
  readonly written: string[];
  /** Nodes whose registrations were sent, and may have been applied. */
  readonly registered: NodeId[];
  paths(): string[];
  alive: (node: NodeId) => boolean | undefined;
  frozen: string | undefined;
  /** When a call of the making up may go out. */
  paced: () => Promise<void>;
  /** What the manager says from now on. */
  manager(says: (request: UnaryRequest) => Reply | Error): void;
  /** It refuses connections, and the probes know. */
  managerAway(): void;
  outcomes(kind: 'registration-replayed' | 'node-registered-again'): string[];
  /** Moves the clock until so many registrations of an outage were tried. */
  untilReplays(count: number): Promise<void>;
}

export async function registrationsBench(
  sets: readonly string[] = ['snapshot.dir='],
): Promise<RegistrationsBench> {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock);
  const events: GatewayEvent[] = [];
  const [seen, written, registered]: [UnaryRequest[], string[], NodeId[]] = [[], [], []];
  const config = configOf('', ['warmup.rate=10', ...sets]);
  const part = createRegistrationsPart({
    config,
    directory: heldDirectory(config.snapshot.dir),
    mode: () => 'answer',
    upstream,
    codec: { decodeRequest, decodeResponse, encodeRequest },
    frozen: () => bench.frozen,
    cleared: () => bench.frozen === undefined,
    isAlive: (node) => bench.alive(node),
    acknowledged: () => undefined,
    registered: (node) => void registered.push(node),
    written: (path) => void written.push(path),
    turn: () => bench.paced(),
    classify,
    clock,
    emit: (event) => events.push(event),
  });
  const bench: RegistrationsBench = {
    part,
    clock,
    upstream,
    events,
    seen,
    written,
    registered,
    paths: () => seen.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)),
    alive: () => undefined,
    frozen: undefined,
    paced: () => Promise.resolve(),
    manager(says) {
      seen.length = 0;
      upstream.healthy = true;
      upstream.statuses = () => [];
      upstream.auto = (asked) => {
        seen.push(asked);
        return says(asked);
      };
    },
    managerAway() {
      this.manager(() => REFUSED);
      upstream.healthy = false;
      upstream.statuses = () => [{ state: 'failed' } as AddressStatus] as never;
    },
    outcomes: (kind) => events.flatMap((event) => (event.kind === kind ? [event.outcome] : [])),
    async untilReplays(count) {
      while (bench.outcomes('registration-replayed').length < count) {
        await new Promise((resolve) => setImmediate(resolve));
        if (clock.pendingTimers > 0) clock.advance(1);
      }
    },
  };
  bench.manager(() => ANSWERED);
  await part.load();
  return bench;
}
