import type { Sighting } from './witness.js';

/** What the manager may remember of a list, ms: 5 minutes in Redis, 3 in the process, 30 s of a query (source), and the time of asking. */
const LIST_MEMORY_MS = 9 * 60_000;
/** A first look may come before the manager has handled the stream's first message: then one more, so much later, ms. */
const SURE_AFTER_MS = 150;
/** After a stream was replaced for what the manager says, none again for so long, ms, unless it was seen active since. */
const PATIENCE_MS = 10 * 60_000;
/**
 * But twice more in a row, so long after the last, ms, where the row itself says "inactive" again after another stream was opened: that had set
 * it active, so that an end was written behind it, which no look need have come in time to see.
 */
const AGAIN_AFTER_MS = [0, 5_000];

/** What the manager says against a live node. */
export type Says = 'inactive' | 'gone';

export type Verdict =
  /** Nothing to do, or nothing that is proven. */
  | { readonly kind: 'none' }
  | { readonly kind: 'look-again'; readonly inMs: number }
  /** The manager says it again; something was done about it less than ten minutes ago. */
  | { readonly kind: 'disputed'; readonly says: Says; readonly begins: boolean }
  | { readonly kind: 'mend'; readonly says: Says; readonly begins: boolean }
  /** It is active again, after so long as was seen, ms. */
  | { readonly kind: 'settled'; readonly disputedMs: number };

const NONE: Verdict = { kind: 'none' };

type Accusation = Extract<Sighting, { readonly kind: Says }>;

/**
 * What was seen of one live node, and what follows from it. A row speaks for itself, but for the first moment of a stream; a list may be
 * older than the stream, so it counts against the node only if it has shown it active since the opening, or cannot be that old.
 */
export class Dispute {
  #openedAtMs: number;
  #seenActiveBy = new Set<'row' | 'list'>();
  #suspectedAtMs: number | undefined;
  #sinceMs: number | undefined;
  #mendedAtMs: number | undefined;
  /** In a row, since it was last seen active. */
  #mends = 0;
  #openedSinceMend = false;

  constructor(openedAtMs: number) {
    this.#openedAtMs = openedAtMs;
  }

  /** Since when the manager has been seen to say otherwise, monotonic ms; undefined: it does not. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** Another stream of the node was opened. */
  opened(atMs: number): void {
    this.#openedAtMs = atMs;
    this.#seenActiveBy = new Set();
    this.#suspectedAtMs = undefined;
    this.#openedSinceMend = true;
  }

  judge(sighting: Sighting, nowMs: number): Verdict {
    switch (sighting.kind) {
      case 'unknown':
        return NONE;
      case 'active':
        this.#seenActiveBy.add(sighting.by);
        return this.#settle(nowMs);
      case 'inactive':
      case 'gone': {
        const proven = sighting.by === 'row' ? this.#provenByRow(nowMs) : this.#provenByList(nowMs);
        if (proven) return this.#accuse(sighting, nowMs);
        return sighting.by === 'row' ? { kind: 'look-again', inMs: SURE_AFTER_MS } : NONE;
      }
      default:
        return sighting satisfies never;
    }
  }

  /** Something was tried, and it could not be done now: the next look may try again. */
  notMended(): void {
    this.#mendedAtMs = undefined;
  }

  #provenByRow(nowMs: number): boolean {
    if (this.#seenActiveBy.has('row')) return true;
    this.#suspectedAtMs ??= nowMs;
    return nowMs - this.#suspectedAtMs >= SURE_AFTER_MS;
  }

  #provenByList(nowMs: number): boolean {
    return this.#seenActiveBy.has('list') || nowMs - this.#openedAtMs >= LIST_MEMORY_MS;
  }

  #accuse({ kind: says, by }: Accusation, nowMs: number): Verdict {
    const begins = this.#sinceMs === undefined;
    this.#sinceMs ??= nowMs;
    const sinceMendMs = this.#mendedAtMs === undefined ? PATIENCE_MS : nowMs - this.#mendedAtMs;
    const isChanged = by === 'row' && says === 'inactive' && this.#openedSinceMend;
    const againAfterMs = (isChanged ? AGAIN_AFTER_MS[this.#mends - 1] : undefined) ?? PATIENCE_MS;
    if (sinceMendMs < againAfterMs) return { kind: 'disputed', says, begins };
    this.#mendedAtMs = nowMs;
    this.#mends++;
    this.#openedSinceMend = false;
    return { kind: 'mend', says, begins };
  }

  #settle(nowMs: number): Verdict {
    const sinceMs = this.#sinceMs;
    this.#suspectedAtMs = undefined;
    this.#sinceMs = undefined;
    this.#mendedAtMs = undefined;
    this.#mends = 0;
    return sinceMs === undefined ? NONE : { kind: 'settled', disputedMs: nowMs - sinceMs };
  }
}
