import { Code } from '../../rpc/status.js';
import { forgetNode, type ManagerParts } from './answerer.js';
import type { NodeName, StateCause } from './manager-record.js';
import { Refusal, recordNotFound } from './refusal.js';
import type { NodeState } from './rows.js';
import type { Asking } from './stores.js';
import { type Fields, number, text } from './validation.js';

/** One KeepAlive stream, seen by the manager: messages until the half-close, or until it is cut off. */
export interface KeepAliveStream {
  /** The next message, decoded and valid; undefined: half-closed. Rejects with a Refusal on an invalid one. */
  read(): Promise<Fields | undefined>;
  /** Aborted when the caller, the connection or the deadline has cut the stream off. */
  readonly signal: AbortSignal;
}

export type KeepAliveOptions = {
  /** 0 to 1, drawn anew for each stream that is cut off. */
  readonly random: () => number;
  readonly lateInactive: { readonly probability: number; readonly delayMs: number };
};

/** These writes outlive the call that caused them, but not the process: a dead one writes nothing. */
const unattended = (parts: ManagerParts): Asking => ({ signal: parts.lifetime, redisDelayPaid: false });

/**
 * Resolves when the half-close has been honoured: the row is written before the status is sent, so that whoever
 * waits for the status knows the order. Rejects with the Refusal that ends the stream.
 *
 * There is no reference count: whatever other streams the node has, the end of this one sets it inactive.
 */
export async function keepAlive(
  parts: ManagerParts,
  stream: KeepAliveStream,
  options: KeepAliveOptions,
): Promise<void> {
  const first = await stream.read();
  if (stream.signal.aborted) return;
  if (first === undefined) throw new Refusal(Code.INTERNAL, 'EOF');
  const node = nodeOf(first);
  if (node !== undefined) await setActive(parts, node);
  try {
    for (let beat = await stream.read(); beat !== undefined; beat = await stream.read()) {
      if (node !== undefined) await noteBeat(parts, node);
    }
  } catch (error) {
    // Any end is an end: an invalid message as well.
    if (node !== undefined) await setInactive(parts, node, 'cancel');
    throw error;
  }
  if (node === undefined || parts.lifetime.aborted) return;
  if (stream.signal.aborted) await writeCancelled(parts, node, options);
  else if (!(await setInactive(parts, node, 'half-close'))) throw recordNotFound();
}

/** A peer that is neither scheduler nor seed peer has no row; its stream is let be. */
function nodeOf(fields: Fields): NodeName | undefined {
  const source = fields.source_type;
  const kind =
    source === 'SCHEDULER_SOURCE' ? 'scheduler' : source === 'SEED_PEER_SOURCE' ? 'seed-peer' : undefined;
  if (kind === undefined) return undefined;
  return {
    kind,
    clusterId: number(fields, 'cluster_id'),
    hostname: text(fields, 'hostname'),
    ip: text(fields, 'ip'),
  };
}

async function setActive(parts: ManagerParts, node: NodeName): Promise<void> {
  if (!(await write(parts, node, 'active', 'keep-alive'))) throw recordNotFound();
}

function setInactive(parts: ManagerParts, node: NodeName, cause: StateCause): Promise<boolean> {
  return write(parts, node, 'inactive', cause);
}

/** The write that follows a cancel is nobody's to wait for; sometimes the next stream's "active" overtakes it. */
async function writeCancelled(parts: ManagerParts, node: NodeName, options: KeepAliveOptions): Promise<void> {
  const { random, lateInactive } = options;
  if (random() < lateInactive.probability) {
    const before = parts.record.stateHistory(node).length;
    await parts.faults.pause(lateInactive.delayMs, parts.lifetime);
    const isOvertaken = parts.record.stateHistory(node).length > before;
    if (!parts.lifetime.aborted) await setInactive(parts, node, isOvertaken ? 'late' : 'cancel');
    return;
  }
  await setInactive(parts, node, 'cancel');
}

async function write(
  parts: ManagerParts,
  node: NodeName,
  state: NodeState,
  cause: StateCause,
): Promise<boolean> {
  const asking = unattended(parts);
  const isThere = await parts.stores.write(asking, () => parts.record.setState(node, state, cause));
  await forgetNode(parts, asking, node);
  return isThere;
}

/** Only schedulers' beats are kept; that the row or the database is gone is a line in the manager's log. */
async function noteBeat(parts: ManagerParts, node: NodeName): Promise<void> {
  if (node.kind !== 'scheduler') return;
  try {
    await parts.stores.writeBeat(unattended(parts), () => {
      const row = parts.record.findScheduler(node);
      if (row !== undefined) row.lastBeatAtMs = parts.record.clock.nowMs();
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}
