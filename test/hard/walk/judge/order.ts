import type { Violation } from './violation.js';

/** An OK answer that a caller was given by one process of a replica. */
export interface Seen {
  readonly process: string;
  readonly group: string;
  readonly calledAtMs: number;
  readonly gotAtMs: number;
  readonly ageMs: number;
  /** A list that names nobody. */
  readonly empty: boolean;
  /** As the gateway says: "hit", "stale shared", … */
  readonly source: string;
}

export interface OrderOptions {
  readonly emptyHoldMs: number;
  readonly toleranceMs: number;
}

type Mark = { readonly gotAtMs: number; readonly askedMs: number; readonly source: string };

/** Longer than any call. */
const RECENT_MS = 20_000;

/**
 * Of one process and question: who calls after somebody has been answered is not answered with what was asked for earlier; and an empty
 * list not before the hold after the newest that was not. One that was given where nothing else was known gives way to an older one that is
 * not empty, once that is heard of: "none" is good enough for nobody. Answers come as calls end.
 */
export class OrderJudge {
  readonly #options: OrderOptions;
  readonly #filled = new Marks();
  empties = 0;

  constructor(options: OrderOptions) {
    this.#options = options;
  }

  seen({ process, group, calledAtMs, gotAtMs, ageMs, empty, source }: Seen): Violation[] {
    const { emptyHoldMs, toleranceMs } = this.#options;
    const key = `${process} ${group}`;
    // Asked for at the earliest, and at the latest.
    const earliestMs = calledAtMs - ageMs;
    const latestMs = gotAtMs - ageMs;
    const violations: Violation[] = [];
    const before = this.#filled.newest(key, calledAtMs);
    if (before !== undefined && latestMs < before.askedMs - toleranceMs) {
      const byMs = Math.round(before.askedMs - latestMs);
      const text = `${process}, ${group}: ${source}, ${ageMs} ms old, asked for ${byMs} ms before a ${before.source}`;
      violations.push({ rule: 'time never goes back', atMs: gotAtMs, text });
    }
    if (empty) this.empties += 1;
    if (empty && before !== undefined && gotAtMs < before.askedMs + emptyHoldMs - toleranceMs) {
      const text = `${process}, ${group}: ${Math.round(gotAtMs - before.askedMs)} ms after one that was not empty was asked for`;
      violations.push({ rule: 'no empty list before its hold', atMs: gotAtMs, text });
    }
    if (!empty) this.#filled.add(key, { gotAtMs, askedMs: earliestMs, source });
    return violations;
  }

  /** Of processes that have ended. */
  forget(process: string): void {
    this.#filled.forget(process);
  }
}

/** When what was given was asked for, by who had been given it when. */
class Marks {
  readonly #marks = new Map<string, Mark[]>();

  /** The newest that was given before this moment. */
  newest(key: string, beforeMs: number): Mark | undefined {
    return newestOf((this.#marks.get(key) ?? []).filter(({ gotAtMs }) => gotAtMs < beforeMs));
  }

  add(key: string, mark: Mark): void {
    const marks = this.#marks.get(key) ?? [];
    const old = marks.filter(({ gotAtMs }) => gotAtMs < mark.gotAtMs - RECENT_MS);
    const recent = marks.filter(({ gotAtMs }) => gotAtMs >= mark.gotAtMs - RECENT_MS);
    // Of the old ones the newest asking is all that counts.
    const best = newestOf(old);
    this.#marks.set(key, [...(best === undefined ? [] : [best]), ...recent, mark]);
  }

  forget(process: string): void {
    for (const key of this.#marks.keys()) if (key.startsWith(`${process} `)) this.#marks.delete(key);
  }
}

function newestOf(marks: readonly Mark[]): Mark | undefined {
  return marks.reduce<Mark | undefined>(
    (newest, one) => (newest !== undefined && newest.askedMs >= one.askedMs ? newest : one),
    undefined,
  );
}
