import type { Violation } from './violation.js';

const MOST_OF_A_RULE = 6;

/** What was found, in words; of each rule the first few, so that one that is broken all the time hides no other. */
export class Verdicts {
  readonly #lines: string[] = [];
  readonly #counts = new Map<string, number>();
  #told = 0;

  add(violations: readonly Violation[]): void {
    for (const { rule, atMs, text } of violations) {
      const count = (this.#counts.get(rule) ?? 0) + 1;
      this.#counts.set(rule, count);
      if (count <= MOST_OF_A_RULE) this.#lines.push(`broken: ${rule} | at ${Math.round(atMs)} ms | ${text}`);
    }
  }

  /** Since the last asking. */
  untold(): readonly string[] {
    const fresh = this.#lines.slice(this.#told);
    this.#told = this.#lines.length;
    return fresh;
  }

  all(): readonly string[] {
    const more = [...this.#counts]
      .filter(([, count]) => count > MOST_OF_A_RULE)
      .map(([rule, count]) => `broken: ${rule} | ${count - MOST_OF_A_RULE} times more`);
    return [...this.#lines, ...more];
  }
}
