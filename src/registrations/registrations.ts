import type { Config } from '../config/config.js';
import { codeOf, type ErrorCode, GatewayError } from '../errors.js';
import type { NodeId } from '../keepalive/node.js';
import type { Emit, ErrorClass } from '../observe/events.js';
import type { Answer } from '../rpc/answer.js';
import type { Reply, UnaryRequest } from '../rpc/call.js';
import type { Clock } from '../rpc/clock.js';
import { Code, type Status } from '../rpc/status.js';
import type { Book, Known, Pending } from './book.js';
import type { Ledger } from './ledger.js';
import {
  type Deletion,
  isSameService,
  type MessageDecoder,
  nodeIdOf,
  type Registration,
  readWrite,
  turnKey,
} from './registration.js';
import type { SharedRegistrations } from './shared/shared-registrations.js';
import type { Turns } from './turns.js';

/** How a write ended. `journaled`: written down, and acknowledged with what the manager last said. */
export interface Written {
  readonly reply: Reply;
  readonly journaled: boolean;
}

export interface Registrations {
  /** A write on its way to the manager. Resolves with what the caller gets; rejects with a GatewayError. */
  write(request: UnaryRequest): Promise<Written>;
  /** A write passed by, and this was the manager's answer. */
  saw(path: string, request: Buffer, reply: Reply): void;
}

export interface RegistrationsOptions {
  readonly whenDown: Config['registrations']['whenDown'];
  readonly book: Book;
  readonly ledger: Ledger;
  readonly shared: Pick<SharedRegistrations, 'turn' | 'find'>;
  readonly turns: Turns;
  readonly decoder: MessageDecoder;
  readonly ask: (request: UnaryRequest) => Promise<Answer>;
  /** In words, why no manager can be written to now; undefined: one can. */
  readonly away: () => string | undefined;
  /** In words, why the manager that is there may not be written to; undefined: it may (see world/). */
  readonly frozen: () => string | undefined;
  /** Told of a node whose registration was acknowledged without the manager. */
  readonly acknowledged: (node: NodeId) => void;
  /** Told of a deletion before it is sent. */
  readonly written: (path: string, request: Buffer) => void;
  readonly classify: (status: Status) => ErrorClass | undefined;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** How long another replica that writes to the node is waited for: longer than a dead one keeps its turn, if there is time. */
const TURN_WAIT_MS = 6_000;
const TURNS_SHARE = 0.5;

/** A node that is known has its acknowledgement before it gives up: this share of its time is for the manager. */
const MANAGERS_SHARE = 0.75;

/** The rules of docs/decisions/0009-journal-of-registrations.md. */
export function createRegistrations(options: RegistrationsOptions): Registrations {
  const { ledger, turns, decoder } = options;
  return {
    async write(request) {
      const write = readWrite(request.path, request.message, decoder);
      switch (write.kind) {
        case 'other':
          return { reply: (await options.ask(request)).reply, journaled: false };
        case 'deletion': {
          const { clusterId, hostname } = write.deletion;
          return turns.take(turnKey('seed-peer', clusterId, hostname), () =>
            remove(options, request, write.deletion),
          );
        }
        case 'registration': {
          const { kind, clusterId, hostname } = write.registration.node;
          return turns.take(turnKey(kind, clusterId, hostname), () =>
            register(options, request, write.registration),
          );
        }
        default:
          return write satisfies never;
      }
    },
    saw(path, message, reply) {
      const write = readWrite(path, message, decoder);
      if (write.kind === 'registration')
        void learn(options, write.registration, reply, options.clock.nowMs());
      if (write.kind === 'deletion') ledger.bury(write.deletion).catch(() => undefined); // told already
    },
  };
}

async function remove(
  options: RegistrationsOptions,
  request: UnaryRequest,
  deletion: Deletion,
): Promise<Written> {
  refuseWhileAway(options);
  // First the tombstone: whatever becomes of the deletion, nothing brings the node back.
  await options.ledger.bury(deletion).catch((cause: unknown) => {
    throw notWritten('deletion', cause);
  });
  // Who began to make up for the node before it heard of that has ended, and the deletion has the last word.
  const turn = await options.shared.turn({ kind: 'seed-peer', ...deletion }, turnWaitMs(options, request));
  try {
    if (turn.kind !== 'busy') {
      // Before it is applied, too: what is seen of it meanwhile is not to be taken for a loss.
      options.written(request.path, request.message);
      return { reply: (await options.ask(request)).reply, journaled: false };
    }
  } finally {
    turn.release();
  }
  throw new GatewayError(
    'manager-unavailable',
    'manager-gateway: the node is being registered; delete it again',
  );
}

async function register(
  options: RegistrationsOptions,
  request: UnaryRequest,
  registration: Registration,
): Promise<Written> {
  // Where another replica does not come to its end, this is what the node itself says now: it goes on.
  const turn = await options.shared.turn(registration.node, turnWaitMs(options, request));
  try {
    return await registerInTurn(options, request, registration);
  } finally {
    turn.release();
  }
}

async function registerInTurn(
  options: RegistrationsOptions,
  request: UnaryRequest,
  registration: Registration,
): Promise<Written> {
  const known = await knownOf(options, request, registration);
  const trouble = options.frozen() ?? (known === undefined ? undefined : options.away());
  if (trouble !== undefined) {
    if (known === undefined) throw new GatewayError('manager-unavailable', `manager-gateway: ${trouble}`);
    return writeDownInstead(options, registration, known.reply);
  }
  const askedAtMs = options.clock.nowMs();
  try {
    const { reply } = await options.ask(known === undefined ? request : sooner(request, options.clock));
    if (known !== undefined && isAway(options, reply.status)) {
      return await writeDownInstead(options, registration, known.reply);
    }
    await learn(options, registration, reply, askedAtMs);
    return { reply, journaled: false };
  } catch (error) {
    if (known === undefined || !UNHEARD.has(codeOf(error)) || request.signal?.aborted) throw error;
    return writeDownInstead(options, registration, known.reply);
  }
}

/** What makes it acknowledgeable; undefined: it is not. */
async function knownOf(
  { whenDown, ledger, shared, book }: RegistrationsOptions,
  { metadata }: UnaryRequest,
  registration: Registration,
): Promise<Known | undefined> {
  // A credential must not be written down, and without it the making up for may not be allowed.
  if (whenDown !== 'known' || !ledger.lasting || metadata.authorization !== undefined) return undefined;
  const here = book.known(registration);
  if (here !== undefined) return here;
  const found = await shared.find(registration.node, registration.ip);
  if (found.kind !== 'there' || found.known === undefined) return undefined;
  return isSameService(found.known.registration, registration) ? found.known : undefined;
}

/** The manager has not said anything. What it may have done all the same is the same thing. */
const UNHEARD = new Set<ErrorCode | undefined>(['manager-timeout', 'manager-unavailable']);

/** Refused connections, and whatever a manager says that the probes, too, find not working (its database is dead). */
function isAway(options: RegistrationsOptions, status: Status): boolean {
  if (options.classify(status) !== 'transient') return false;
  return status.code === Code.UNAVAILABLE || options.away() !== undefined;
}

async function writeDownInstead(
  options: RegistrationsOptions,
  registration: Registration,
  reply: Reply,
): Promise<Written> {
  const pending: Pending = { kind: 'pending', registration, acknowledgedAtWallMs: options.clock.wallMs() };
  await options.ledger.acknowledge(pending).catch((cause: unknown) => {
    throw notWritten('registration', cause);
  });
  options.acknowledged(nodeIdOf(registration));
  options.emit({ kind: 'registration-journaled', node: registration.node.kind });
  return { reply, journaled: true };
}

function notWritten(what: string, cause: unknown): GatewayError {
  return new GatewayError('manager-unavailable', `manager-gateway: the ${what} could not be written down`, {
    cause,
  });
}

function refuseWhileAway({ away, frozen }: RegistrationsOptions): void {
  const trouble = frozen() ?? away();
  if (trouble !== undefined) throw new GatewayError('manager-unavailable', `manager-gateway: ${trouble}`);
}

/**
 * The manager has taken it. Known at once, by all replicas; on disk behind, because what a crash would lose is only that the node is
 * known. Unless an older registration of the node is pending there: then that is settled first, or it would be made up for over this one.
 */
async function learn(
  { book, ledger }: RegistrationsOptions,
  registration: Registration,
  reply: Reply,
  askedAtMs: number,
): Promise<void> {
  if (reply.status.code !== Code.OK) return;
  const settles = book.hasPending(registration.node);
  const learnt = ledger.learn(registration, reply, askedAtMs);
  await (settles ? learnt.all : learnt.shared);
}

function turnWaitMs({ clock }: RegistrationsOptions, { deadlineMs }: UnaryRequest): number {
  const leftMs = (deadlineMs ?? Number.POSITIVE_INFINITY) - clock.nowMs();
  return Math.min(TURN_WAIT_MS, leftMs * TURNS_SHARE);
}

function sooner(request: UnaryRequest, clock: Clock): UnaryRequest {
  if (request.deadlineMs === undefined) return request;
  const leftMs = request.deadlineMs - clock.nowMs();
  return { ...request, deadlineMs: clock.nowMs() + leftMs * MANAGERS_SHARE };
}
