import type { Facts, NodeRow } from './facts.js';
import type { Called } from './roll-call.js';

/** Nodes that are kept for a roll call; the longest unseen goes first. */
const MAX_NODES = 4_096;
/** Nodes that a roll call asks for. */
const ROLL_CALL = 20;
/** More than this share of the nodes, gone within this time: then it is another world. */
const GONE_SHARE = 1 / 5;
const GONE_WITHIN_MS = 5 * 60_000;
/** For 8.5 minutes the manager may tell of a node that was deleted, and some. */
const TOLD_FOR_MS = 10 * 60_000;
/** Unseen for so long while others were seen, a node may have been deleted by hand: it proves nothing. */
const SEEN_WITHIN_MS = TOLD_FOR_MS;
/** What has shown another world does not age: nothing but its return shows that it is ours after all. */
const FOR_GOOD = Number.POSITIVE_INFINITY;

interface Known {
  readonly node: NodeRow;
  /** When was last asked for an answer that shows it, monotonic ms. */
  readonly seenAtMs: number;
  /** Since when it has not been found, monotonic ms. */
  goneAtMs: number | undefined;
}

export interface KnownWorldOptions {
  /** Was the node deleted by somebody who did it through here, at or after that moment? Then it proves nothing. */
  readonly wasDeleted: (node: NodeRow, sinceMs: number) => boolean;
}

/** What is known of the manager's clusters and nodes, from the answers that were taken. */
export interface KnownWorld {
  /** `askedAtMs`: when the answer was asked for that shows them. Rows that are inactive may be swept at any time, and prove nothing. */
  learn(facts: Facts, askedAtMs: number): void;
  /** Why these clusters are not those that are known; undefined: they may be. */
  contradiction(facts: Facts): string | undefined;
  /** The nodes to ask for: the most recently seen. */
  rollCall(): readonly NodeRow[];
  /** The most recently seen first: one that was deleted in the console is seen no more. */
  clusterIds(): readonly string[];
  /** What a roll call found. Why it is another world; undefined: it is the known one. */
  judge(called: readonly Called[], nowMs: number): string | undefined;
  /** Seed peers may have been deleted up to now: nobody knows which of them are still to be found. */
  forgetSeedPeers(nowMs: number): void;
  forget(): void;
  readonly isEmpty: boolean;
}

export function createKnownWorld({ wasDeleted }: KnownWorldOptions): KnownWorld {
  const clusters = new Map<string, string>();
  const nodes = new Map<string, Known>();
  const keyOf = (node: NodeRow): string => JSON.stringify([node.kind, node.clusterId, node.hostname]);
  const dropDeleted = (): void => {
    for (const [key, { node, seenAtMs }] of nodes)
      if (wasDeleted(node, seenAtMs - TOLD_FOR_MS)) nodes.delete(key);
  };
  // What shows seed peers and was asked for up to here shows them as they may have been before somebody deleted them.
  let seedPeersAfterMs = Number.NEGATIVE_INFINITY;

  return {
    learn(facts, askedAtMs) {
      for (const [id, name] of facts.clusters) {
        clusters.delete(id);
        clusters.set(id, name);
      }
      for (const node of facts.nodes) {
        if (node.inactive || (node.kind === 'seed-peer' && askedAtMs <= seedPeersAfterMs)) continue;
        const key = keyOf(node);
        const seenAtMs = Math.max(askedAtMs, nodes.get(key)?.seenAtMs ?? askedAtMs);
        nodes.delete(key);
        nodes.set(key, { node, seenAtMs, goneAtMs: undefined });
      }
      for (const key of nodes.keys()) {
        if (nodes.size <= MAX_NODES) break;
        nodes.delete(key);
      }
    },
    contradiction(facts) {
      for (const [id, name] of facts.clusters) {
        const before = clusters.get(id);
        if (before !== undefined && before !== name) return `cluster ${id} was "${before}", and is "${name}"`;
        const elsewhere = [...clusters].find(([otherId, other]) => other === name && otherId !== id);
        if (before === undefined && elsewhere !== undefined) {
          return `cluster "${name}" had id ${elsewhere[0]}, and has ${id}`;
        }
      }
      return undefined;
    },
    rollCall() {
      dropDeleted();
      const newestFirst = [...nodes.values()].sort((one, other) => other.seenAtMs - one.seenAtMs);
      const newestAtMs = newestFirst[0]?.seenAtMs ?? 0;
      return newestFirst
        .slice(0, ROLL_CALL)
        .filter(({ seenAtMs, goneAtMs }) => goneAtMs === FOR_GOOD || newestAtMs - seenAtMs <= SEEN_WITHIN_MS)
        .map(({ node }) => node);
    },
    clusterIds: () => [...clusters.keys()].reverse(),
    judge(called, nowMs) {
      dropDeleted();
      const asked = called.flatMap((one) => {
        const known = nodes.get(keyOf(one.node));
        return known === undefined ? [] : [{ ...one, known }];
      });
      for (const { row, known } of asked)
        known.goneAtMs = row === undefined ? (known.goneAtMs ?? nowMs) : undefined;
      const lately = asked.filter(({ node, known }) => {
        // Who has gone longer ago went one by one: that is how a fleet lives. And who is older than one that is there, was deleted.
        const counts = known.goneAtMs === undefined || nowMs - known.goneAtMs <= GONE_WITHIN_MS;
        const isProof = known.goneAtMs === undefined || (counts && !isOutlived(node, called));
        if (!isProof) nodes.delete(keyOf(node));
        return isProof;
      });
      const gone = lately.filter(({ row }) => row === undefined);
      // One node alone is what an operator deletes.
      if (gone.length < 2 || gone.length / lately.length <= GONE_SHARE) return undefined;
      for (const { known } of gone) known.goneAtMs = FOR_GOOD;
      return `${gone.length} of ${lately.length} nodes are gone`;
    },
    forgetSeedPeers(nowMs) {
      seedPeersAfterMs = nowMs + TOLD_FOR_MS;
      for (const [key, { node }] of nodes) if (node.kind === 'seed-peer') nodes.delete(key);
    },
    forget() {
      clusters.clear();
      nodes.clear();
    },
    get isEmpty() {
      return clusters.size === 0 && nodes.size === 0;
    },
  };
}

/**
 * Has a row that was made after this one's survived it, under its own id? No backup and no other database has the later row
 * of a table and not the earlier: somebody has deleted this one, in the database that we know.
 */
function isOutlived(gone: NodeRow, called: readonly Called[]): boolean {
  return (
    gone.id !== '' &&
    called.some(
      ({ node, row }) =>
        node.kind === gone.kind && row?.id === node.id && BigInt(row.id || 0) > BigInt(gone.id),
    )
  );
}
