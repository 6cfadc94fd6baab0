import { LRUCache } from 'lru-cache';
import { type Entry, sizeOfEntry } from '../entry.js';
import { newestOnly } from './newest.js';

/** Callers whose last answer is kept at hand. */
const CALLERS = 131_072;

/** What each caller was last given of what it shares with others. */
export interface Given {
  note(caller: string, entry: Entry): void;
  /** Undefined: nothing, or so long ago that others' answers have taken its place. */
  get(caller: string): Entry | undefined;
}

/** Shared by all who were given it. */
interface Holder {
  entry: Entry | undefined;
}

/**
 * Most callers were given one of a few answers. Those who ask once and never again hold on to one each that nobody else has any more: all
 * of them together take at most `maxBytes`.
 */
export function createGiven(maxBytes: number): Given {
  const callers = newestOnly<Holder>(CALLERS);
  const holderOf = new WeakMap<Entry, Holder>();
  const holders = new LRUCache<Holder, Holder>({
    maxSize: maxBytes,
    sizeCalculation: ({ entry }) => (entry === undefined ? 1 : sizeOfEntry(entry)),
    dispose(holder) {
      holder.entry = undefined;
    },
  });
  return {
    note(caller, entry) {
      const known = holderOf.get(entry);
      if (known?.entry !== undefined && callers.peek(caller) === known) return;
      const holder = known ?? { entry };
      holder.entry = entry;
      holderOf.set(entry, holder);
      if (holders.get(holder) === undefined) holders.set(holder, holder);
      // Larger than all of them together may be: there is no place for it.
      if (!holders.has(holder)) holder.entry = undefined;
      else callers.set(caller, holder);
    },
    get: (caller) => callers.get(caller)?.entry,
  };
}
