import type { Config, Mode } from '../config/config.js';
import type { OwnDirectory } from '../durable/own-directory.js';
import type { NodeId } from '../keepalive/node.js';
import type { Emit, ErrorClass } from '../observe/events.js';
import type { UnaryRequest } from '../rpc/call.js';
import type { Clock } from '../rpc/clock.js';
import type { Status } from '../rpc/status.js';
import { allFailed } from '../upstream/all-failed.js';
import type { Upstream } from '../upstream/upstream.js';
import { createBook } from './book.js';
import { createJournal, type Journal } from './journal.js';
import { createLedger } from './ledger.js';
import { createLife } from './life.js';
import type { Fields, MessageDecoder, NodeName } from './registration.js';
import { createRegistrations, type Registrations } from './registrations.js';
import { createReplay } from './replay.js';
import { createReplayNode, type ReplayNode } from './replay-node.js';
import { createSharedRegistrations } from './shared/shared-registrations.js';
import { createTurns } from './turns.js';

export interface RegistrationsPart extends Registrations {
  /** Reads the journal. Never rejects. */
  load(): Promise<void>;
  /** Something about the managers has changed: one may be back. */
  look(): void;
  /** A node's KeepAlive stream is alive: what is pending of it is made up for next. */
  aliveNow(node: NodeId): void;
  /** A node has asked this: a sign of life where no KeepAlive stream gives one. */
  heard(path: string, message: Buffer): void;
  readonly replayNode: ReplayNode;
  /** Where its service listens, as it registered; undefined: it is not known here. */
  portOf(node: NodeId): number | undefined;
  /** Registrations that were acknowledged and are to be made up for. */
  readonly pending: () => number;
  /** What is being written down is finished. */
  stop(): Promise<void>;
}

export interface RegistrationsPartOptions {
  readonly config: Pick<Config, 'registrations' | 'redis' | 'fleet' | 'warmup' | 'managers'>;
  readonly directory: OwnDirectory;
  readonly mode: () => Mode;
  readonly upstream: Upstream;
  readonly codec: MessageDecoder & { encodeRequest(path: string, fields: Fields): Buffer };
  readonly frozen: () => string | undefined;
  /** Is the manager that is there known to be the right one? */
  readonly cleared: () => boolean;
  /** What KeepAlive streams say: true, one is alive, here or at another replica; false, it has ended; undefined: nobody knows. */
  readonly isAlive: (node: NodeId) => boolean | undefined;
  /** Told of a node whose registration was acknowledged without the manager: it lives, whatever its streams did before. */
  readonly acknowledged: (node: NodeId) => void;
  readonly written: (path: string, request: Buffer) => void;
  /** Told of a node whose registration was sent here, and may have been applied: it may have left meanwhile. */
  readonly registered: (node: NodeId) => void;
  /** Resolves when a call of the making up may go out, where more is to be caught up with; absent: at once. */
  readonly turn?: () => Promise<void>;
  readonly classify: (status: Status) => ErrorClass | undefined;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Book, journal, the way of a write and the making up for: wired together. */
export function createRegistrationsPart(options: RegistrationsPartOptions): RegistrationsPart {
  const { config, directory, upstream, codec, emit } = options;
  const book = createBook();
  const journal: Journal =
    directory.dir === '' ? NO_JOURNAL : createJournal({ directory, fleetId: config.fleet.id, book });
  const turns = createTurns();
  const ask = (request: UnaryRequest) => upstream.unary(request);
  const shared = createSharedRegistrations({
    ...options,
    config: config.redis,
    fleetId: config.fleet.id,
    book,
    onSuperseded: (pending) => void ledger.forget(pending),
  });
  const ledger = createLedger({ ...options, book, journal, shared });
  const life = createLife({ ...options, isOwn: (pending) => book.isPending(pending), decoder: codec });
  const common = { ...options, book, ledger, shared, turns, decoder: codec, ask };
  const making = {
    ...common,
    paced: () => options.turn?.() ?? Promise.resolve(),
    allowed: () => upstream.healthy && options.cleared(),
    lookUp: (node: NodeName, path: string, ip: string) => lookUp(codec, node, path, ip),
    requestTimeoutMs: config.managers.requestTimeoutMs,
  };
  const replay = createReplay({
    ...making,
    life,
    // Observing and bypassing add nothing to what the managers are asked but what was promised here.
    forOthers: () => options.mode() === 'answer',
    ratePerSecond: config.warmup.rate,
  });
  const open = async (): Promise<void> => {
    // Where it cannot be had, the directory itself says so, once, for all that would be in it.
    if (!directory.held) return;
    try {
      const read = await journal.open();
      emit({ kind: 'journal-loaded', known: book.knownCount, pending: book.pending().length, ...read });
      replay.wake();
    } catch (error) {
      emit({ kind: 'journal-failed', detail: error instanceof Error ? error.message : String(error) });
    }
  };
  return {
    ...createRegistrations({
      ...common,
      whenDown: config.registrations.whenDown,
      away: () => trouble(upstream),
    }),
    async load() {
      directory.whenTaken(() => void open());
      // The disk first: what is on it is told to Redis.
      await open();
      await shared.start();
      replay.wake();
    },
    look: () => replay.wake(),
    aliveNow: (node) => replay.alive(node),
    heard(path, message) {
      if (life.heard(path, message)) replay.wake();
    },
    replayNode: createReplayNode(making),
    portOf: (node) => book.find(node)?.registration.port,
    pending: () => book.pending().length,
    async stop() {
      replay.stop();
      await journal.close();
      shared.stop();
    },
  };
}

const NO_JOURNAL: Journal = {
  open: () => Promise.resolve({ damagedBytes: 0, ignored: 0 }),
  append: () => Promise.reject(new Error('snapshot.dir is empty')),
  isOpen: false,
  close: () => Promise.resolve(),
};

/** Before the first probe nobody knows, and a write is tried. */
function trouble(upstream: Upstream): string | undefined {
  return allFailed(upstream.statuses()) ? (upstream.describeTrouble() ?? 'no manager answers') : undefined;
}

/** The read that shows a node's row, in the same version of the API. The ip is in it because the manager's cache goes by it. */
function lookUp(
  codec: RegistrationsPartOptions['codec'],
  node: NodeName,
  path: string,
  ip: string,
): Pick<UnaryRequest, 'path' | 'message'> {
  const isScheduler = node.kind === 'scheduler';
  const readPath = path.replace(/[^/]+$/, isScheduler ? 'GetScheduler' : 'GetSeedPeer');
  const cluster = isScheduler ? 'scheduler_cluster_id' : 'seed_peer_cluster_id';
  const { source, hostname, clusterId } = node;
  const message = codec.encodeRequest(readPath, { source_type: source, hostname, [cluster]: clusterId, ip });
  return { path: readPath, message };
}
