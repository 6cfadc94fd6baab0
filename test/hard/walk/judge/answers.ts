import type { Violation } from './violation.js';

/** What the manager said, as far as answers go. Times on the machine's monotonic clock. */
export interface SaidOnce {
  /** Who asks the same gets the same: see `createClasses`. */
  readonly group: string;
  /** Of its bytes, or the words of a status that is none of OK. */
  readonly hash: string;
  /** Of a list of schedulers, whatever the order. */
  readonly set: string | undefined;
  /** The question came in, the status went out. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a caller was given. */
export interface Given {
  readonly group: string;
  readonly hash: string;
  readonly set: string | undefined;
  readonly calledAtMs: number;
  readonly gotAtMs: number;
  /** As the gateway says. */
  readonly ageMs: number;
  /** The same list in another order may be another place's. */
  readonly elsewhere: boolean;
}

export interface AnswersOptions {
  readonly maxStaleMs: number;
  /** How exact clocks are that are read from files. */
  readonly toleranceMs: number;
}

type Times = { readonly fromMs: number; readonly toMs: number };

/** What was said earlier than the oldest answer that may still be given, and a caller may still wait for. */
const MARGIN_MS = 30_000;

/**
 * Every answer is one that the manager gave for that question, was asked for when its age says, and is not older than allowed. Both
 * sides are told as they come, and compared with `settle`, when all that was said before has been told.
 */
export class AnswersJudge {
  readonly #options: AnswersOptions;
  readonly #said = new Map<string, Times[]>();
  #given: Given[] = [];
  judged = 0;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  said({ group, hash, set, fromMs, toMs }: SaidOnce): void {
    this.#add(exactly(group, hash), { fromMs, toMs });
    if (set !== undefined) this.#add(whatever(set), { fromMs, toMs });
  }

  given(given: Given): void {
    this.#given.push(given);
  }

  settle(nowMs: number): Violation[] {
    const given = this.#given;
    this.#given = [];
    this.judged += given.length;
    const violations = given.map((one) => this.#judge(one)).filter((one) => one !== undefined);
    this.#forget(nowMs - this.#options.maxStaleMs - MARGIN_MS);
    return violations;
  }

  #judge(given: Given): Violation | undefined {
    const { maxStaleMs, toleranceMs } = this.#options;
    const { group, hash, set, ageMs, calledAtMs, gotAtMs } = given;
    const at = { atMs: gotAtMs };
    if (ageMs > maxStaleMs + toleranceMs)
      return { rule: 'no answer older than maxStale', text: `${group}: ${ageMs} ms old`, ...at };
    const key = given.elsewhere && set !== undefined ? whatever(set) : exactly(group, hash);
    const before = (this.#said.get(key) ?? []).filter(({ toMs }) => toMs <= gotAtMs + toleranceMs);
    if (before.length === 0)
      return {
        rule: 'every answer is one that the manager gave for that question',
        text: `${group}: ${hash}`,
        ...at,
      };
    // It may have been asked for any time in the call, so many ms ago.
    const earliestMs = calledAtMs - ageMs - toleranceMs;
    const newestMs = Math.max(...before.map(({ fromMs }) => fromMs));
    if (newestMs >= earliestMs) return undefined;
    const text = `${group}: ${ageMs} ms by what it says, at least ${Math.round(calledAtMs - newestMs)} ms`;
    return { rule: 'an answer is no older than it says', text, ...at };
  }

  #add(key: string, times: Times): void {
    const known = this.#said.get(key);
    if (known === undefined) this.#said.set(key, [times]);
    else known.push(times);
  }

  #forget(beforeMs: number): void {
    for (const [key, times] of this.#said) {
      const kept = times.filter(({ toMs }) => toMs >= beforeMs);
      if (kept.length > 0) this.#said.set(key, kept);
      else this.#said.delete(key);
    }
  }
}

const exactly = (group: string, hash: string): string => `= ${group} ${hash}`;
const whatever = (set: string): string => `~ ${set}`;
