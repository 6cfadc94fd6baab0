import type { NodeId } from '../keepalive/node.js';
import type { Emit } from '../observe/events.js';
import type { Book, Known, Pending } from './book.js';
import type { Ledger } from './ledger.js';
import { type MakeUpOptions, makeUp } from './make-up.js';
import { turnKey } from './registration.js';
import type { SharedRegistrations } from './shared/shared-registrations.js';
import type { Turns } from './turns.js';

/** `unknown`: no registration of that node, with that address, is known. `later`: the managers could or may not be asked. */
export type NodeReplayed = 'applied' | 'there-already' | 'unknown' | 'refused' | 'later';

/** Never rejects. `force`: whoever calls has just been told that the row is gone, which a look may not show for minutes. */
export type ReplayNode = (node: NodeId, options?: { readonly force?: boolean }) => Promise<NodeReplayed>;

export interface ReplayNodeOptions extends MakeUpOptions {
  readonly book: Book;
  readonly ledger: Ledger;
  readonly shared: Pick<SharedRegistrations, 'find' | 'turn'>;
  readonly turns: Turns;
  readonly isAlive: (node: NodeId) => boolean | undefined;
  readonly emit: Emit;
}

/** Another replica that registers it, or is done with it just now; the caller has better to do than to wait for one that is slow. */
const TURN_WAIT_MS = 1_000;

/** For a live node of which the manager says "record not found": registers it again, as it has registered itself. */
export function createReplayNode(options: ReplayNodeOptions): ReplayNode {
  const { ledger, shared, turns, emit } = options;
  const replay = async (node: NodeId, how: 'look' | 'force'): Promise<NodeReplayed> => {
    const turn = await shared.turn(node, TURN_WAIT_MS);
    try {
      if (turn.kind === 'busy') return 'later';
      // Looked up in its turn: a deletion, or a newer registration, may have been before it.
      const found = await lookUp(options, node);
      if (found === 'maybe-outdated') return 'later';
      if (found === undefined) return 'unknown';
      const { registration } = found;
      // It may have left meanwhile: a dead seed peer that is set active stays so for ever.
      const allowed = (): boolean => options.allowed() && !turn.lost && options.isAlive(node) === true;
      const made = await makeUp({ ...options, allowed }, registration, how);
      emit({ kind: 'node-registered-again', node: node.kind, outcome: made.kind });
      // What was known is so still; beside it an address that the node has now may be pending.
      if (found.kind === 'pending' && made.kind !== 'later') {
        await ledger.settle(found, made.kind === 'applied' ? made.reply : undefined);
      }
      return made.kind;
    } finally {
      turn.release();
    }
  };
  return (node, { force = false } = {}) =>
    turns
      .take(turnKey(node.kind, node.clusterId, node.hostname), () => replay(node, force ? 'force' : 'look'))
      .catch((error: unknown) => {
        emit({ kind: 'internal-error', where: 'registering a node again', error });
        return 'later' as const;
      });
}

/** The newest registration of exactly this node, whichever replica it came through; a Redis that may have forgotten a deletion is not believed. */
async function lookUp(
  { book, shared }: ReplayNodeOptions,
  node: NodeId,
): Promise<Known | Pending | 'maybe-outdated' | undefined> {
  const found = await shared.find(node, node.ip);
  if (found.maybeOutdated) return 'maybe-outdated';
  if (found.kind !== 'there') return found.kind === 'deleted' ? undefined : book.find(node);
  return [found.pending, found.known].find((one) => one?.registration.ip === node.ip) ?? book.find(node);
}
