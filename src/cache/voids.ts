import { LRUCache } from 'lru-cache';

/** Nodes that may be written about before the oldest mark is folded into the floor. */
const MARKS = 65_536;

/**
 * When what was last written to. An answer asked for at or before a write to something it is made of is void: it
 * may show the world before the write. It stays the last good answer, but is asked for again.
 */
export interface Voids {
  /** A write to these; undefined: nobody knows to what. */
  mark(written: { updates: readonly string[]; deletes: readonly string[] } | undefined, nowMs: number): void;
  isVoid(tags: readonly string[], askedAtMs: number): boolean;
  /** When any of these was last written to, as far as is known. */
  writtenAtMs(tags: readonly string[]): number;
  /** Was something it is made of deleted at or after `askedAtMs`? */
  isDeleted(tags: readonly string[], askedAtMs: number): boolean;
  /** Everything asked for up to now is of a world that is no more: void, and poorer answers are what is wanted. */
  replaceAll(nowMs: number): void;
  /** Rises with every mark. */
  readonly revision: number;
}

type Mark = { readonly writtenAtMs: number; readonly deletedAtMs: number };

const NEVER = Number.NEGATIVE_INFINITY;

export function createVoids(): Voids {
  // Everything asked for up to here is void: for writes that cannot be read, and for marks that found no place.
  let floorMs = NEVER;
  let goneMs = NEVER;
  let revision = 0;
  const marks = new LRUCache<string, Mark>({
    // By size, not by `max`, for which lru-cache allocates everything at once.
    maxSize: MARKS,
    sizeCalculation: () => 1,
    dispose: (mark, _tag, reason) => {
      if (reason === 'evict') floorMs = Math.max(floorMs, mark.writtenAtMs);
    },
  });
  return {
    mark(written, nowMs) {
      revision++;
      if (written === undefined) floorMs = Math.max(floorMs, nowMs);
      // Marks of other replicas come late, and not in their order: a mark never goes back.
      const later = (tag: string, deletedAtMs: number): void => {
        const last = marks.peek(tag);
        marks.set(tag, {
          writtenAtMs: Math.max(nowMs, last?.writtenAtMs ?? NEVER),
          deletedAtMs: Math.max(deletedAtMs, last?.deletedAtMs ?? NEVER),
        });
      };
      for (const tag of written?.updates ?? []) later(tag, NEVER);
      for (const tag of written?.deletes ?? []) later(tag, nowMs);
    },
    isVoid(tags, askedAtMs) {
      if (askedAtMs <= floorMs) return true;
      return tags.some((tag) => askedAtMs <= (marks.peek(tag)?.writtenAtMs ?? NEVER));
    },
    writtenAtMs: (tags) => Math.max(floorMs, ...tags.map((tag) => marks.peek(tag)?.writtenAtMs ?? NEVER)),
    replaceAll(nowMs) {
      revision++;
      floorMs = nowMs;
      goneMs = nowMs;
    },
    isDeleted(tags, askedAtMs) {
      if (askedAtMs <= goneMs) return true;
      return tags.some((tag) => askedAtMs <= (marks.peek(tag)?.deletedAtMs ?? NEVER));
    },
    get revision() {
      return revision;
    },
  };
}
