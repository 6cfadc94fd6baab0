import type { Asker } from './asker.js';
import { newestOnly } from './newest.js';
import { foldCase } from './shared-question.js';

/** Triples of cluster id, idc and location that siblings are known of. */
const GROUPS = 16_384;

interface Group {
  readonly key: string;
  readonly askedAtMs: number;
  /** Of the clusters in the newest answer. */
  readonly order: string;
  /** When a caller of the same group was last known to get another order. */
  readonly otherOrderAtMs: number;
}

/** The newest answers to callers' own questions, by what callers have in common. */
export interface Siblings {
  add(asker: Asker, key: string, order: string, askedAtMs: number): void;
  /**
   * The newest answer's key, unless another of the group got another order of clusters at a time that is not past: then
   * the manager looks at something that its scopes do not tell of.
   */
  newest(asker: Asker, isPast: (askedAtMs: number) => boolean): string | undefined;
}

export function createSiblings(): Siblings {
  const groups = newestOnly<Group>(GROUPS);
  return {
    add(asker, key, order, askedAtMs) {
      const name = groupOf(asker);
      const last = groups.get(name);
      if (last === undefined) {
        groups.set(name, { key, askedAtMs, order, otherOrderAtMs: Number.NEGATIVE_INFINITY });
        return;
      }
      const isNewest = askedAtMs >= last.askedAtMs;
      const otherAtMs = order === last.order ? last.otherOrderAtMs : isNewest ? last.askedAtMs : askedAtMs;
      const otherOrderAtMs = Math.max(last.otherOrderAtMs, otherAtMs);
      groups.set(name, isNewest ? { key, askedAtMs, order, otherOrderAtMs } : { ...last, otherOrderAtMs });
    },
    newest(asker, isPast) {
      const group = groups.get(groupOf(asker));
      return group === undefined || !isPast(group.otherOrderAtMs) ? undefined : group.key;
    },
  };
}

function groupOf({ clusterId, idc, location }: Asker): string {
  return JSON.stringify([clusterId ?? '', foldCase(idc), foldCase(location)]);
}
