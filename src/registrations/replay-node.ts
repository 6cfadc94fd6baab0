import type { NodeId } from '../keepalive/node.js';
import type { Emit } from '../observe/events.js';
import type { Book } from './book.js';
import type { Ledger } from './ledger.js';
import { type MakeUpOptions, makeUp } from './make-up.js';
import { turnKey } from './registration.js';
import type { Turns } from './turns.js';

/** `unknown`: no registration of that node, with that address, is known. `later`: the managers could or may not be asked. */
export type NodeReplayed = 'applied' | 'there-already' | 'unknown' | 'refused' | 'later';

/** Never rejects. `force`: whoever calls has just been told that the row is gone, which a look may not show for minutes. */
export type ReplayNode = (node: NodeId, options?: { readonly force?: boolean }) => Promise<NodeReplayed>;

export interface ReplayNodeOptions extends MakeUpOptions {
  readonly book: Book;
  readonly ledger: Ledger;
  readonly turns: Turns;
  readonly emit: Emit;
}

/** For a live node of which the manager says "record not found": registers it again, as it has registered itself. */
export function createReplayNode(options: ReplayNodeOptions): ReplayNode {
  const { book, ledger, turns, emit } = options;
  const replay = async (node: NodeId, how: 'look' | 'force'): Promise<NodeReplayed> => {
    // Looked up in its turn: a deletion, or a newer registration, may have been before it.
    const found = book.find(node);
    if (found === undefined) return 'unknown';
    const { registration } = found;
    const made = await makeUp(options, registration, how);
    emit({ kind: 'node-registered-again', node: node.kind, outcome: made.kind });
    // What was known is so still; beside it an address that the node has now may be pending.
    if (found.kind === 'known' || made.kind === 'later') return made.kind;
    await ledger.keep(
      made.kind === 'applied'
        ? { kind: 'known', registration, reply: made.reply }
        : { kind: 'settled', node: registration.node },
    );
    return made.kind;
  };
  return (node, { force = false } = {}) =>
    turns
      .take(turnKey(node.kind, node.clusterId, node.hostname), () => replay(node, force ? 'force' : 'look'))
      .catch((error: unknown) => {
        emit({ kind: 'internal-error', where: 'registering a node again', error });
        return 'later' as const;
      });
}
