import type { Violation } from './violation.js';

/** A write that a node was told has succeeded. */
export interface Acknowledged {
  readonly key: string;
  /** Of a registration. */
  readonly version: number;
  readonly path: string;
  readonly hash: string;
  readonly journaled: boolean;
  readonly calledAtMs: number;
  readonly gotAtMs: number;
}

/** A write as its node has seen it; `code`: -1, nothing was said. */
export interface Tried extends Acknowledged {
  readonly code: number;
}

/** A write that a manager has received. `code`: what it said. */
export interface Received {
  readonly path: string;
  readonly hash: string;
  readonly code: number;
  readonly fromMs: number;
  readonly toMs: number;
}

const TOLERANCE_MS = 30;
const TOLD = 5;
const REMEMBERED_MS = 60_000;
const RULE = 'a write is acknowledged only if applied, or journaled and then applied';

/** Both sides are told as they come; `settle` when all has been told, `settleRows` when everything has had its time. */
export class WritesJudge {
  #acknowledged: Acknowledged[] = [];
  #received: Received[] = [];
  /** The newest of each node. */
  readonly #newest = new Map<string, Acknowledged>();
  /** The last few of each node, for who wants to know how it came. */
  readonly #tried = new Map<string, Tried[]>();
  direct = 0;
  journaled = 0;
  deletions = 0;
  overtaken = 0;

  tried(one: Tried): void {
    this.#tried.set(one.key, [...(this.#tried.get(one.key) ?? []), one].slice(-TOLD));
    if (one.code === 0) this.acknowledged(one);
  }

  acknowledged(one: Acknowledged): void {
    this.#acknowledged.push(one);
    if (one.journaled) this.journaled += 1;
    else this.direct += 1;
    const before = this.#newest.get(one.key);
    if (before === undefined || before.version < one.version) this.#newest.set(one.key, one);
  }

  received(one: Received): void {
    this.#received.push(one);
  }

  /** It was told that it is deleted, which is never written down for later: nothing of before counts. */
  deleted(one: Acknowledged): void {
    this.#newest.delete(one.key);
    this.deletions += 1;
    this.#acknowledged.push({ ...one, journaled: false });
  }

  settle(nowMs: number): Violation[] {
    const acknowledged = this.#acknowledged;
    this.#acknowledged = [];
    const violations: Violation[] = [];
    for (const one of acknowledged) {
      if (one.journaled || this.#isApplied(one)) continue;
      const text = `${one.key}, ${one.path}, version ${one.version}: no manager has taken it`;
      violations.push({ rule: RULE, atMs: one.gotAtMs, text });
    }
    this.#received = this.#received.filter(({ toMs }) => toMs > nowMs - REMEMBERED_MS);
    return violations;
  }

  /** `versions`: of each row there is. `expected`: whose row has to be there, and up to date, by now. */
  settleRows(versions: ReadonlyMap<string, number>, expected: readonly string[], atMs: number): Violation[] {
    return expected.flatMap((key) => {
      const newest = this.#newest.get(key);
      if (newest === undefined) return [];
      const version = versions.get(key);
      if (version !== undefined && version >= newest.version) return [];
      if (this.#wasOvertaken(newest, version)) {
        this.overtaken += 1;
        return [];
      }
      const how = newest.journaled ? 'journaled' : 'taken';
      const ago = Math.round((atMs - newest.gotAtMs) / 1_000);
      const text = `${key}: version ${newest.version} was ${how} ${ago} s ago, the row has ${version ?? 'gone'}; ${this.#story(key)}`;
      return [{ rule: RULE, atMs, text }];
    });
  }

  /** Taken, and then a manager that was late wrote an older one over it that it had received before: nobody can keep it from that. */
  #wasOvertaken({ key, journaled, gotAtMs }: Acknowledged, version: number | undefined): boolean {
    const older = (this.#tried.get(key) ?? []).find((one) => one.version === version);
    if (journaled || older === undefined) return false;
    const receipts = this.#received.filter(({ hash }) => hash === older.hash);
    return receipts.length > 0 && receipts.every(({ fromMs }) => fromMs < gotAtMs);
  }

  #story(key: string): string {
    const told = (this.#tried.get(key) ?? []).map(
      ({ version, hash, code, journaled, calledAtMs, gotAtMs }) => {
        const taken = this.#received
          .filter((one) => one.hash === hash)
          .map((one) => `${span(one.fromMs, one.toMs)} ${one.code}`);
        const how = journaled ? 'journaled' : String(code);
        return `version ${version} ${span(calledAtMs, gotAtMs)} ${how}, at managers ${taken.join(', ')}`;
      },
    );
    return told.join('; ');
  }

  #isApplied({ path, hash, calledAtMs, gotAtMs }: Acknowledged): boolean {
    return this.#received.some(
      (one) =>
        one.code === 0 &&
        one.path === path &&
        one.hash === hash &&
        one.fromMs >= calledAtMs - TOLERANCE_MS &&
        one.toMs <= gotAtMs + TOLERANCE_MS,
    );
  }
}

/** s */
function span(fromMs: number, toMs: number): string {
  return `${(fromMs / 1_000).toFixed(2)}–${(toMs / 1_000).toFixed(2)}`;
}
