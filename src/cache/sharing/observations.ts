import type { SeenList } from './claim.js';

/**
 * How long the manager may go on telling an older world: 8.5 minutes, measured (protocol.md §2), and some. A list asked
 * for earlier than this before the newest one shows a world that the newest is surely later than, and says nothing more.
 */
const MANAGER_STALENESS_MS = 10 * 60_000;

/** The worlds that lists about one subject have shown lately. Many lists of one world take the memory of one. */
export interface Observations {
  /** True if what is known has changed. */
  add(list: SeenList, askedAtMs: number): boolean;
  readonly lists: readonly SeenList[];
  /** Is a moment so long before the newest list that nothing then seen counts? */
  isPast(askedAtMs: number): boolean;
}

export function createObservations(): Observations {
  const seen = new Map<string, { readonly list: SeenList; readonly askedAtMs: number }>();
  let newestAtMs = Number.NEGATIVE_INFINITY;
  const isPast = (askedAtMs: number): boolean => askedAtMs < newestAtMs - MANAGER_STALENESS_MS;
  return {
    add(list, askedAtMs) {
      if (isPast(askedAtMs)) return false;
      const worldAtMs = seen.get(list.world)?.askedAtMs;
      let changed = worldAtMs === undefined;
      if (worldAtMs === undefined || askedAtMs > worldAtMs) seen.set(list.world, { list, askedAtMs });
      if (askedAtMs <= newestAtMs) return changed;
      newestAtMs = askedAtMs;
      for (const [world, known] of seen) {
        if (isPast(known.askedAtMs)) changed = seen.delete(world) || changed;
      }
      return changed;
    },
    get lists() {
      return [...seen.values()].map(({ list }) => list);
    },
    isPast,
  };
}
