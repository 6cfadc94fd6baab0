import { FOREVER } from './node-history.js';
import type { NodeRound } from './node-terms.js';
import type { Violation } from './violation.js';

/** How many KeepAlive messages of a node the managers have been sent so far. */
export interface Heard {
  readonly key: string;
  readonly heard: number;
}

/**
 * The beats of a live node come through: a row can be active without them, where a manager was killed, or could not write down that a stream
 * has ended. Real managers sweep such rows within the hour.
 */
export class BeatsJudge {
  readonly #silentMs: number;
  #before: ReadonlyMap<string, number> = new Map();
  #sinceMs = FOREVER;
  judged = 0;

  /** `silentMs`: nobody beats as seldom as that. */
  constructor(silentMs: number) {
    this.#silentMs = silentMs;
  }

  /** From now on all is well. */
  listen(heard: readonly Heard[], atMs: number): void {
    this.#before = countsOf(heard);
    this.#sinceMs = atMs;
  }

  /** `expected`: who has been alive all the time since then. */
  settle(heard: readonly Heard[], expected: readonly string[], round: NodeRound): Violation[] {
    const forMs = round.toMs - this.#sinceMs;
    if (forMs - round.allowanceMs <= this.#silentMs) return [];
    const now = countsOf(heard);
    return expected.flatMap((key) => {
      const [before, after] = [this.#before.get(key), now.get(key)];
      // Without a row there is more amiss, which others see.
      if (before === undefined || after === undefined) return [];
      this.judged += 1;
      if (after > before) return [];
      const text = `${key}: no beat in ${Math.round(forMs)} ms of calm, ${after} before`;
      return [{ rule: 'the beats of a live node come through', atMs: round.toMs, text }];
    });
  }
}

function countsOf(heard: readonly Heard[]): ReadonlyMap<string, number> {
  return new Map(heard.map(({ key, heard: count }) => [key, count]));
}
