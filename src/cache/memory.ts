import { LRUCache } from 'lru-cache';
import { type Entry, sizeOfEntry } from './entry.js';

/** Where entries are kept inside the process: bounded in bytes, the least recently asked for goes first. */
export interface MemoryStore {
  get(key: string): Entry | undefined;
  /** As `get`, without making it more recently asked for. */
  peek(key: string): Entry | undefined;
  /** False if the entry alone is larger than the whole store. */
  set(entry: Entry): boolean;
  readonly sizeBytes: number;
  readonly count: number;
  /** Rises with every change. */
  readonly revision: number;
  entries(): IterableIterator<Entry>;
}

/** `onSet` is told of every entry that comes in, whoever brings it. */
export function createMemoryStore(options: {
  readonly maxBytes: number;
  readonly onSet?: (entry: Entry) => void;
}): MemoryStore {
  const entries = new LRUCache<string, Entry>({ maxSize: options.maxBytes, sizeCalculation: sizeOfEntry });
  let revision = 0;
  return {
    get: (key) => entries.get(key),
    peek: (key) => entries.peek(key),
    set(entry) {
      if (sizeOfEntry(entry) > options.maxBytes) return false;
      entries.set(entry.question.key, entry);
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
    entries: () => entries.values() as IterableIterator<Entry>,
  };
}
