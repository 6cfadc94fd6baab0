import { LRUCache } from 'lru-cache';
import type { NodeId } from '../keepalive/node.js';
import type { Clock } from '../rpc/clock.js';
import type { Pending } from './book.js';
import { pendingId } from './pending-id.js';
import { type MessageDecoder, nodeIdOf } from './registration.js';

/** `wait`: nobody knows whether the node lives, and a dead one must not be made up for. */
export type Verdict = 'alive' | 'dead' | 'wait';

/** Whether nodes that are to be made up for live. */
export interface Life {
  verdict(pending: Pending): Verdict;
  /** A node has asked this: is it one that `verdict` waits for? */
  heard(path: string, message: Buffer): boolean;
  /** Nobody is waited for any more. */
  rest(): void;
}

export interface LifeOptions {
  /** What KeepAlive streams say: true, one is alive here or at another replica; false, it has ended; undefined: nobody knows. */
  readonly isAlive: (node: NodeId) => boolean | undefined;
  /** Was it acknowledged here? What ended here before another replica acknowledged it says nothing about it. */
  readonly isOwn: (pending: Pending) => boolean;
  readonly decoder: MessageDecoder;
  readonly clock: Clock;
}

/** The one registration that sets a row active, which nothing but a KeepAlive stream would ever set inactive again (protocol.md §2). */
const SETS_ACTIVE = '/manager.v2.Manager/UpdateSeedPeer';
/** What a seed peer that never opens a KeepAlive stream asks anyway: every 60 s, before v1.4.3 every 300 s. */
const POLLED = '/manager.v2.Manager/ListSchedulers';
const HEARD_MS = 360_000;
/** How long it is waited for a sign of life, while the managers could be written to. Longer costs a slot, and helps nobody. */
const WAIT_MS = 24 * 3_600_000;
const MOST_WAITED_FOR = 4_096;

export function createLife({ isAlive, isOwn, decoder, clock }: LifeOptions): Life {
  /** By what names an acknowledgement: those of other replicas are read anew each time. */
  const waitingSinceMs = new LRUCache<string, number>({ max: MOST_WAITED_FOR });
  /** Nodes that are waited for, by what they say of themselves when they ask; when they last did. */
  const waitedFor = new LRUCache<string, { heardAtMs: number }>({ max: MOST_WAITED_FOR });

  return {
    verdict(pending) {
      const { registration } = pending;
      const known = isAlive(nodeIdOf(registration));
      if (known) return 'alive';
      if (known === false && isOwn(pending)) return 'dead';
      if (registration.path !== SETS_ACTIVE) return 'alive';
      const nowMs = clock.nowMs();
      const name = nameOf(registration.node.hostname, registration.ip);
      const heardAtMs = waitedFor.get(name)?.heardAtMs ?? Number.NEGATIVE_INFINITY;
      if (nowMs - heardAtMs <= HEARD_MS) return 'alive';
      const id = pendingId(pending);
      const sinceMs = waitingSinceMs.get(id) ?? nowMs;
      waitingSinceMs.set(id, sinceMs);
      if (nowMs - sinceMs >= WAIT_MS) return 'dead';
      if (!waitedFor.has(name)) waitedFor.set(name, { heardAtMs });
      return 'wait';
    },
    heard(path, message) {
      if (waitedFor.size === 0 || path !== POLLED) return false;
      const asked = decoder.decodeRequest(path, message);
      const one = waitedFor.get(nameOf(String(asked.hostname), String(asked.ip)));
      if (one === undefined) return false;
      one.heardAtMs = clock.nowMs();
      return true;
    },
    rest: () => waitedFor.clear(),
  };
}

function nameOf(hostname: string, ip: string): string {
  return JSON.stringify([hostname, ip]);
}
