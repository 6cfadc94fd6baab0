import { LRUCache } from 'lru-cache';

/** The `count` most recently used. Bounded by size and not by `max`, for which lru-cache allocates everything at once. */
export function newestOnly<V extends object>(count: number): LRUCache<string, V> {
  return new LRUCache<string, V>({ maxSize: count, sizeCalculation: () => 1 });
}
