import { LRUCache } from 'lru-cache';
import type { NodeRecord } from './node.js';

/** Nodes that were here and have left; the oldest are forgotten. */
export class GoneNodes {
  readonly #nodes: LRUCache<string, { readonly seedPeer: NodeRecord | undefined; readonly hasLeft: boolean }>;

  constructor(most: number) {
    this.#nodes = new LRUCache({ max: most });
  }

  /** `hasLeft`: by its own word. One whose connection was lost may be at another gateway, or come back as it was. */
  add(key: string, record: NodeRecord, hasLeft: boolean): void {
    const isSeedPeer = record.node.kind === 'seed-peer';
    // A copy of its own: what came over the network may be a part of something larger.
    this.#nodes.set(key, {
      seedPeer: isSeedPeer ? { ...record, first: Buffer.from(record.first) } : undefined,
      hasLeft,
    });
  }

  hasLeft(key: string): boolean {
    return this.#nodes.get(key)?.hasLeft === true;
  }

  /** What it takes to tell the manager that a seed peer has left. */
  seedPeer(key: string): NodeRecord | undefined {
    return this.#nodes.get(key)?.seedPeer;
  }

  delete(key: string): void {
    this.#nodes.delete(key);
  }
}
