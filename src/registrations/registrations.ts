import type { Config } from '../config/config.js';
import { GatewayError } from '../errors.js';
import type { NodeId } from '../keepalive/node.js';
import type { Emit, ErrorClass } from '../observe/events.js';
import type { Answer } from '../rpc/answer.js';
import type { Reply, UnaryRequest } from '../rpc/call.js';
import type { Clock } from '../rpc/clock.js';
import { Code, type Status } from '../rpc/status.js';
import type { Book } from './book.js';
import type { Ledger } from './ledger.js';
import type { JournalRecord } from './record.js';
import { type MessageDecoder, nodeIdOf, type Registration, readWrite, turnKey } from './registration.js';
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
          return turns.take(turnKey('seed-peer', clusterId, hostname), async () => {
            refuseWhileAway(options);
            // First the tombstone: whatever becomes of the deletion, nothing brings the node back.
            const tombstone = { kind: 'deleted', deletion: write.deletion } as const;
            // Where nothing is lasting, nothing is pending that it would have to stop.
            if (ledger.lasting) await writeDown(options, tombstone, 'deletion');
            else await ledger.keep(tombstone);
            // Before it is applied, too: what is seen of it meanwhile is not to be taken for a loss.
            options.written(request.path, request.message);
            return { reply: (await options.ask(request)).reply, journaled: false };
          });
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
      if (write.kind === 'registration') void learn(options, write.registration, reply);
      if (write.kind === 'deletion') void ledger.keep({ kind: 'deleted', deletion: write.deletion });
    },
  };
}

async function register(
  options: RegistrationsOptions,
  request: UnaryRequest,
  registration: Registration,
): Promise<Written> {
  // A credential must not lie on the disk, and without it the making up for may not be allowed.
  const mayJournal =
    options.whenDown === 'known' && options.ledger.lasting && request.metadata.authorization === undefined;
  const known = mayJournal ? options.book.known(registration) : undefined;
  const trouble = options.frozen() ?? (known === undefined ? undefined : options.away());
  if (trouble !== undefined) {
    if (known === undefined) throw new GatewayError('manager-unavailable', `manager-gateway: ${trouble}`);
    return writeDownInstead(options, registration, known.reply);
  }
  try {
    const { reply } = await options.ask(known === undefined ? request : sooner(request, options.clock));
    if (known !== undefined && isAway(options, reply.status)) {
      return await writeDownInstead(options, registration, known.reply);
    }
    await learn(options, registration, reply);
    return { reply, journaled: false };
  } catch (error) {
    const unheard = error instanceof GatewayError && UNHEARD.has(error.code);
    if (known === undefined || !unheard || request.signal?.aborted) throw error;
    return writeDownInstead(options, registration, known.reply);
  }
}

/** The manager has not said anything. What it may have done all the same is the same thing. */
const UNHEARD = new Set(['manager-timeout', 'manager-unavailable']);

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
  const acknowledgedAtWallMs = options.clock.wallMs();
  await writeDown(options, { kind: 'pending', registration, acknowledgedAtWallMs }, 'registration');
  options.acknowledged(nodeIdOf(registration));
  options.emit({ kind: 'registration-journaled', node: registration.node.kind });
  return { reply, journaled: true };
}

async function writeDown(options: RegistrationsOptions, record: JournalRecord, what: string): Promise<void> {
  try {
    await options.ledger.append(record);
  } catch (cause) {
    throw new GatewayError('manager-unavailable', `manager-gateway: the ${what} could not be written down`, {
      cause,
    });
  }
}

function refuseWhileAway({ away, frozen }: RegistrationsOptions): void {
  const trouble = frozen() ?? away();
  if (trouble !== undefined) throw new GatewayError('manager-unavailable', `manager-gateway: ${trouble}`);
}

/**
 * The manager has taken it. Known at once; on disk behind, because what a crash would lose is only that the node is
 * known. Unless an older registration of the node is pending there: then that is settled first, or it would be made up for over this one.
 */
async function learn(options: RegistrationsOptions, registration: Registration, reply: Reply): Promise<void> {
  if (reply.status.code !== Code.OK) return;
  const settles = options.book.hasPending(registration.node);
  const kept = options.ledger.keep({ kind: 'known', registration, reply });
  if (settles) await kept;
}

function sooner(request: UnaryRequest, clock: Clock): UnaryRequest {
  if (request.deadlineMs === undefined) return request;
  const leftMs = request.deadlineMs - clock.nowMs();
  return { ...request, deadlineMs: clock.nowMs() + leftMs * MANAGERS_SHARE };
}
