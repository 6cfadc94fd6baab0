import type { Facts, NodeRow } from './facts.js';

/** Nodes that are kept for a roll call; the longest unseen goes first. */
const MAX_NODES = 4_096;
/** Nodes that a roll call asks for. */
const ROLL_CALL = 20;
/** More than this share of the nodes, gone within this time: then it is another world. */
const GONE_SHARE = 1 / 5;
const GONE_WITHIN_MS = 5 * 60_000;
/** Unseen for so long while others were seen, a node may have been deleted by hand: it proves nothing. The manager may tell of it for 8.5 minutes. */
const SEEN_WITHIN_MS = 10 * 60_000;
/** What has shown another world does not age: nothing but its return shows that it is ours after all. */
const FOR_GOOD = Number.POSITIVE_INFINITY;

interface Known {
  readonly node: NodeRow;
  /** When was last asked for an answer that shows it, monotonic ms. */
  readonly seenAtMs: number;
  /** Since when it has not been found, monotonic ms. */
  goneAtMs: number | undefined;
}

/** What is known of the manager's clusters and nodes, from the answers that were taken. */
export interface KnownWorld {
  /** `askedAtMs`: when the answer was asked for that shows them. */
  learn(facts: Facts, askedAtMs: number): void;
  /** Why these clusters are not those that are known; undefined: they may be. */
  contradiction(facts: Facts): string | undefined;
  /** The nodes to ask for: the most recently seen. */
  rollCall(): readonly NodeRow[];
  /** The most recently seen first: one that was deleted in the console is seen no more. */
  clusterIds(): readonly string[];
  /** What a roll call found. Why it is another world; undefined: it is the known one. */
  judge(
    called: readonly { readonly node: NodeRow; readonly found: boolean }[],
    nowMs: number,
  ): string | undefined;
  forget(): void;
  readonly isEmpty: boolean;
}

export function createKnownWorld(): KnownWorld {
  const clusters = new Map<string, string>();
  const nodes = new Map<string, Known>();
  const keyOf = (node: NodeRow): string => JSON.stringify([node.kind, node.clusterId, node.hostname]);

  return {
    learn(facts, askedAtMs) {
      for (const [id, name] of facts.clusters) {
        clusters.delete(id);
        clusters.set(id, name);
      }
      for (const node of facts.nodes) {
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
      const newestFirst = [...nodes.values()].sort((one, other) => other.seenAtMs - one.seenAtMs);
      const newestAtMs = newestFirst[0]?.seenAtMs ?? 0;
      return newestFirst
        .slice(0, ROLL_CALL)
        .filter(({ seenAtMs, goneAtMs }) => goneAtMs === FOR_GOOD || newestAtMs - seenAtMs <= SEEN_WITHIN_MS)
        .map(({ node }) => node);
    },
    clusterIds: () => [...clusters.keys()].reverse(),
    judge(called, nowMs) {
      for (const { node, found } of called) {
        const known = nodes.get(keyOf(node));
        if (known !== undefined) known.goneAtMs = found ? undefined : (known.goneAtMs ?? nowMs);
      }
      const lately = called.flatMap(({ node, found }) => {
        const known = nodes.get(keyOf(node));
        // Who has gone longer ago went one by one: that is how a fleet lives.
        const counts = known?.goneAtMs === undefined || nowMs - known.goneAtMs <= GONE_WITHIN_MS;
        if (!counts) nodes.delete(keyOf(node));
        return counts ? [{ known, found }] : [];
      });
      const gone = lately.filter(({ found }) => !found);
      // One node alone is what an operator deletes.
      if (gone.length < 2 || gone.length / lately.length <= GONE_SHARE) return undefined;
      for (const { known } of gone) if (known !== undefined) known.goneAtMs = FOR_GOOD;
      return `${gone.length} of ${lately.length} nodes are gone`;
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
