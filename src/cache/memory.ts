import { LRUCache } from 'lru-cache';
import { type Entry, sizeOfEntry } from './entry.js';

/** Where entries are kept inside the process: bounded in bytes, the least recently asked for goes first. */
export interface MemoryStore {
  get(key: string): Entry | undefined;
  /** As `get`, without making it more recently asked for. */
  peek(key: string): Entry | undefined;
  /** It has answered somebody. */
  used(key: string): void;
  /** How often the answers to this question have been used since it was first remembered here. */
  uses(key: string): number;
  /** False: it was not there. */
  delete(key: string): boolean;
  /** False if the entry alone is larger than the whole store. */
  set(entry: Entry): boolean;
  readonly sizeBytes: number;
  readonly count: number;
  /** Rises with every change. */
  readonly revision: number;
  entries(): IterableIterator<Entry>;
}

type Held = { readonly entry: Entry; uses: number };

/** `onSet` is told of every entry that comes in, whoever brings it. */
export function createMemoryStore(options: {
  readonly maxBytes: number;
  readonly onSet?: (entry: Entry) => void;
}): MemoryStore {
  const entries = new LRUCache<string, Held>({
    maxSize: options.maxBytes,
    sizeCalculation: ({ entry }) => sizeOfEntry(entry),
  });
  let revision = 0;
  return {
    get: (key) => entries.get(key)?.entry,
    peek: (key) => entries.peek(key)?.entry,
    used(key) {
      const held = entries.peek(key);
      if (held !== undefined) held.uses++;
    },
    uses: (key) => entries.peek(key)?.uses ?? 0,
    delete(key) {
      if (!entries.delete(key)) return false;
      revision++;
      return true;
    },
    set(entry) {
      if (sizeOfEntry(entry) > options.maxBytes) return false;
      const { key } = entry.question;
      entries.set(key, { entry, uses: entries.peek(key)?.uses ?? 0 });
      revision++;
      options.onSet?.(entry);
      return true;
    },
    get sizeBytes() {
      return entries.calculatedSize;
    },
    get count() {
      return entries.size;
    },
    get revision() {
      return revision;
    },
    *entries() {
      for (const { entry } of entries.values()) yield entry;
    },
  };
}
