import type { Facts, NodeRow } from './facts.js';

/** Nodes that are kept for a roll call; the longest unseen goes first. */
const MAX_NODES = 4_096;
/** Nodes that a roll call asks for. */
const ROLL_CALL = 20;
/** More than this share of the nodes, gone within this time: then it is another world. */
const GONE_SHARE = 1 / 5;
const GONE_WITHIN_MS = 5 * 60_000;

interface Known {
  readonly node: NodeRow;
  /** Since when it has not been found, monotonic ms. */
  goneAtMs: number | undefined;
}

/** What is known of the manager's clusters and nodes, from the answers that were taken. */
export interface KnownWorld {
  learn(facts: Facts): void;
  /** Why these clusters are not those that are known; undefined: they may be. */
  contradiction(facts: Facts): string | undefined;
  /** The nodes to ask for: the most recently seen. */
  rollCall(): readonly NodeRow[];
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
    learn(facts) {
      for (const [id, name] of facts.clusters) clusters.set(id, name);
      for (const node of facts.nodes) {
        const key = keyOf(node);
        nodes.delete(key);
        nodes.set(key, { node, goneAtMs: undefined });
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
    rollCall: () => [...nodes.values()].slice(-ROLL_CALL).map(({ node }) => node),
    clusterIds: () => [...clusters.keys()],
    judge(called, nowMs) {
      for (const { node, found } of called) {
        const known = nodes.get(keyOf(node));
        if (known !== undefined) known.goneAtMs = found ? undefined : (known.goneAtMs ?? nowMs);
      }
      // Who has gone longer ago went one by one: that is how a fleet lives.
      for (const [key, { goneAtMs }] of nodes) {
        if (goneAtMs !== undefined && nowMs - goneAtMs > GONE_WITHIN_MS) nodes.delete(key);
      }
      const gone = called.filter(({ found }) => !found).length;
      // One node alone is what an operator deletes.
      if (gone < 2 || gone / called.length <= GONE_SHARE) return undefined;
      return `${gone} of ${called.length} nodes are gone`;
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
