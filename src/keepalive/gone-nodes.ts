import { LRUCache } from 'lru-cache';
import { ownCopy } from '../rpc/own-copy.js';
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
    this.#nodes.set(key, {
      seedPeer: isSeedPeer ? { ...record, first: ownCopy(record.first) } : undefined,
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
