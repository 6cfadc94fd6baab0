/** A promise that was broken: which one, and what was seen. */
export interface Violation {
  readonly rule: string;
  readonly atMs: number;
  readonly text: string;
}
