import type { NodeId } from '../keepalive/node.js';
import type { Reply } from '../rpc/call.js';
import { pendingId } from './pending-id.js';
import type { JournalRecord } from './record.js';
import {
  type Deletion,
  deletionKey,
  isSameService,
  type NodeName,
  nodeKey,
  type Registration,
} from './registration.js';

/** Nodes that are remembered; beyond it the one that registered longest ago is forgotten, unless it is pending. */
const MAX_KNOWN = 65_536;

/** Deletions that are remembered: a journal that is opened later, or written by somebody else, may say what they undid. */
const MAX_TOMBSTONES = 4_096;

export interface Known {
  readonly kind: 'known';
  readonly registration: Registration;
  readonly reply: Reply;
}

export interface Pending {
  readonly kind: 'pending';
  readonly registration: Registration;
  readonly acknowledgedAtWallMs: number;
}

/** What the journal says, in memory: the state that its records, applied in their order, lead to. */
export interface Book {
  apply(record: JournalRecord): void;
  /** The same node, on the same path and port: what the manager last answered it. */
  known(registration: Registration): Known | undefined;
  allKnown(): readonly Known[];
  pending(): readonly Pending[];
  /** The very same acknowledgement, whoever wrote it down. */
  isPending(pending: Pending): boolean;
  hasPending(node: NodeName): boolean;
  /** The newest registration of exactly this node: a pod that has come back with another address is another one. */
  find(node: NodeId): Known | Pending | undefined;
  /** The fewest records that lead to this state. */
  records(): JournalRecord[];
  readonly knownCount: number;
}

export function createBook(maxKnown = MAX_KNOWN): Book {
  const known = new Map<string, Known>();
  const pending = new Map<string, Pending>();
  const tombstones = new Map<string, Extract<JournalRecord, { kind: 'deleted' }>>();

  const forgetOldest = (): void => {
    for (const key of known.keys()) {
      if (known.size <= maxKnown) return;
      if (!pending.has(key)) known.delete(key);
    }
  };
  const bury = (record: Extract<JournalRecord, { kind: 'deleted' }>): void => {
    const key = deletionKey(record.deletion);
    tombstones.delete(key);
    tombstones.set(key, record);
    for (const oldest of tombstones.keys()) {
      if (tombstones.size <= MAX_TOMBSTONES) return;
      tombstones.delete(oldest);
    }
  };
  const remove = (deletion: Deletion): void => {
    for (const [key, { registration }] of known) if (isMeant(deletion, registration)) known.delete(key);
    for (const [key, { registration }] of pending) if (isMeant(deletion, registration)) pending.delete(key);
  };

  return {
    apply(record) {
      switch (record.kind) {
        case 'known': {
          const key = nodeKey(record.registration.node);
          // Set anew, so that the order of the map is that of the last registration.
          known.delete(key);
          known.set(key, record);
          pending.delete(key);
          return forgetOldest();
        }
        case 'pending':
          pending.set(nodeKey(record.registration.node), record);
          return;
        case 'settled':
          pending.delete(nodeKey(record.node));
          return;
        case 'deleted':
          bury(record);
          return remove(record.deletion);
        default:
          return record satisfies never;
      }
    },
    known(registration) {
      const found = known.get(nodeKey(registration.node));
      return found !== undefined && isSameService(found.registration, registration) ? found : undefined;
    },
    allKnown: () => [...known.values()],
    pending: () => [...pending.values()],
    isPending(one) {
      const there = pending.get(nodeKey(one.registration.node));
      return there === one || (there !== undefined && pendingId(there) === pendingId(one));
    },
    hasPending: (node) => pending.has(nodeKey(node)),
    find(node) {
      const key = nodeKey(node);
      return [pending.get(key), known.get(key)].find((one) => one?.registration.ip === node.ip);
    },
    // Whoever is known or pending has registered after the deletions.
    records: () => [...tombstones.values(), ...known.values(), ...pending.values()],
    get knownCount() {
      return known.size;
    },
  };
}

/** Without an ip the manager deletes by hostname; with one, a pod that has come back with another address is not meant. */
function isMeant({ clusterId, hostname, ip }: Deletion, { node, ip: itsIp }: Registration): boolean {
  if (node.kind !== 'seed-peer' || node.clusterId !== clusterId || node.hostname !== hostname) return false;
  return ip === '' || ip === itsIp;
}
