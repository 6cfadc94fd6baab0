import type { StateCause } from '../../../../src/simulator/manager/manager-record.js';
import type { NodeEnd } from '../crowd/node.js';
import type { Violation } from './violation.js';

/** One write to a node's row, as the managers' record has it. */
export interface RowChange {
  readonly key: string;
  readonly state: 'active' | 'inactive' | 'gone';
  readonly cause: StateCause;
  readonly via: number | 'console';
  readonly atMs: number;
}

/** Times to be held, ms. */
export interface NodeLimits {
  /** After the last fault, or after it has begun, a live node is active. */
  readonly recoveryMs: number;
  /** A replacement of its stream. */
  readonly blinkMs: number;
  /** Of each way to end: inactive so long after. */
  readonly endMs: Readonly<Record<NodeEnd, number>>;
  /** One whose row was deleted behind everybody's back: the managers' caches hide it. */
  readonly deletedRowMs: number;
  /** One whose end came late through another manager than its stream is at (decision 21). */
  readonly otherManagerMs: number;
  /** Who has ended for so long is nobody's to set active. */
  readonly backAfterMs: number;
}

/** A round, as far as nodes are concerned. */
export interface NodeRound {
  /** The last fault was over. */
  readonly calmFromMs: number;
  readonly toMs: number;
  /** An end may have been lost with a database that took no writes: "stays as the manager last saw it" (README, limits). */
  readonly endsMayBeLost: boolean;
  /** What a machine that stood still may have added to each of them. */
  readonly allowanceMs: number;
}

/** From when it began to register to when it ended. */
interface Life {
  readonly fromMs: number;
  registeredAtMs: number | undefined;
  endingAtMs: number;
  endedAtMs: number;
  how: NodeEnd | undefined;
  /** The end has been looked at, or cannot be. */
  done: boolean;
}

interface Known {
  readonly lives: Life[];
  changes: RowChange[];
  rowDeletedAtMs: number;
}

/** What a live node may be told of in a report, though no promise was broken. */
export interface NodeCounts {
  ends: number;
  unknowable: number;
  lateThroughOther: number;
  deletedRows: number;
}

const NEVER = Number.NEGATIVE_INFINITY;
const FOREVER = Number.POSITIVE_INFINITY;

/** Live nodes are active, those that ended are not, and nobody brings them back. Told as it happens, judged when a round is over. */
export class NodesJudge {
  readonly #limits: NodeLimits;
  readonly #nodes = new Map<string, Known>();
  readonly counts: NodeCounts = { ends: 0, unknowable: 0, lateThroughOther: 0, deletedRows: 0 };

  constructor(limits: NodeLimits) {
    this.#limits = limits;
  }

  changed(change: RowChange): void {
    this.#of(change.key).changes.push(change);
  }

  /** It begins to register. */
  began(key: string, atMs: number): void {
    const never = { registeredAtMs: undefined, endingAtMs: FOREVER, endedAtMs: FOREVER, how: undefined };
    this.#of(key).lives.push({ ...never, fromMs: atMs, done: false });
  }

  registered(key: string, atMs: number): void {
    const life = this.#of(key).lives.at(-1);
    if (life !== undefined) life.registeredAtMs ??= atMs;
  }

  /** It is about to. */
  ending(key: string, atMs: number): void {
    const life = this.#of(key).lives.at(-1);
    if (life !== undefined) life.endingAtMs = atMs;
  }

  ended(key: string, atMs: number, how: NodeEnd): void {
    const life = this.#of(key).lives.at(-1);
    if (life === undefined) return;
    life.endedAtMs = atMs;
    life.how = how;
  }

  rowDeleted(key: string, atMs: number): void {
    this.#of(key).rowDeletedAtMs = atMs;
  }

  /** Nodes that have lived long enough for their rows to be there. */
  settled(round: NodeRound): string[] {
    const { recoveryMs, deletedRowMs } = this.#limits;
    return [...this.#nodes].flatMap(([key, { lives, rowDeletedAtMs }]) => {
      const life = lives.at(-1);
      const sinceMs = life?.registeredAtMs ?? FOREVER;
      const isSettled = life?.endingAtMs === FOREVER && round.toMs - sinceMs > recoveryMs;
      return isSettled && round.toMs - rowDeletedAtMs > deletedRowMs ? [key] : [];
    });
  }

  settle(round: NodeRound): Violation[] {
    return [...this.#nodes].flatMap(([key, known]) => {
      const violations = [
        ...this.#livesActive(key, known, round),
        ...this.#endsInTime(key, known, round),
        ...this.#staysGone(key, known, round),
      ];
      forget(known, round.toMs);
      return violations;
    });
  }

  #livesActive(key: string, known: Known, round: NodeRound): Violation[] {
    const { recoveryMs, blinkMs } = this.#limits;
    return known.lives.flatMap((life) => {
      const begunMs = Math.max(life.registeredAtMs ?? FOREVER, round.calmFromMs);
      const fromMs = begunMs + recoveryMs + round.allowanceMs;
      const toMs = Math.min(life.endingAtMs, round.toMs);
      return lapses(known.changes, fromMs, toMs)
        .filter(
          (lapse) =>
            lapse.toMs - lapse.fromMs > blinkMs + round.allowanceMs && !this.#explained(known, lapse),
        )
        .map((lapse) => {
          const for_ = Math.round(lapse.toMs - Math.max(lapse.fromMs, begunMs));
          const text = `${key}: ${lapse.by.state} by ${lapse.by.cause} via ${lapse.by.via}, ${for_} ms of calm`;
          return { rule: 'a live node is active 10 s after the last fault', atMs: lapse.fromMs, text };
        });
    });
  }

  /** What the decision on witnesses says takes longer. */
  #explained({ changes, rowDeletedAtMs }: Known, { by, fromMs, toMs }: Lapse): boolean {
    const { deletedRowMs, otherManagerMs } = this.#limits;
    if (fromMs >= rowDeletedAtMs && toMs - rowDeletedAtMs < deletedRowMs) {
      this.counts.deletedRows += 1;
      return true;
    }
    const opened = changes.findLast(({ atMs, cause }) => atMs <= fromMs && cause === 'keep-alive');
    if (opened === undefined || by.state !== 'inactive' || opened.via === by.via) return false;
    if (toMs - fromMs >= otherManagerMs) return false;
    this.counts.lateThroughOther += 1;
    return true;
  }

  #endsInTime(key: string, { lives, changes }: Known, round: NodeRound): Violation[] {
    return lives.flatMap((life, index) => {
      const { how, endedAtMs } = life;
      if (life.done || how === undefined) return [];
      const limitMs = this.#limits.endMs[how] + round.allowanceMs;
      // What ended among the faults, or before all have recovered from them, has until the end of the round.
      const isAmongFaults = endedAtMs < round.calmFromMs + this.#limits.recoveryMs;
      const dueMs = isAmongFaults ? round.toMs : endedAtMs + limitMs;
      const cameBack = lives[index + 1] !== undefined;
      if (dueMs > round.toMs && !cameBack) return [];
      life.done = true;
      const wasRegistered = life.registeredAtMs !== undefined;
      if (cameBack || !wasRegistered || (round.endsMayBeLost && isAmongFaults)) {
        this.counts.unknowable += 1;
        return [];
      }
      this.counts.ends += 1;
      const last = changes.findLast(({ atMs }) => atMs <= dueMs);
      if (last?.state !== 'active') return [];
      const text = `${key}: ${how}, and active ${Math.round(dueMs - endedAtMs)} ms later, by ${last.cause}`;
      return [{ rule: 'a silent node is inactive in time', atMs: dueMs, text }];
    });
  }

  #staysGone(key: string, { lives, changes }: Known, round: NodeRound): Violation[] {
    return lives.flatMap(({ endedAtMs, how }, index) => {
      const nextMs = lives[index + 1]?.fromMs ?? FOREVER;
      const gone = changes.filter(({ atMs }) => atMs > endedAtMs + this.#limits.backAfterMs && atMs < nextMs);
      return gone
        .filter(({ state, cause }) => state === 'active' || (how === 'deleted' && cause === 'registered'))
        .filter(({ atMs }) => atMs <= round.toMs)
        .map(({ atMs, state, cause, via }) => {
          const text = `${key}: ${how}, and ${state} again ${Math.round(atMs - endedAtMs)} ms later, by ${cause} via ${via}`;
          return { rule: 'nobody who has ended is brought back', atMs, text };
        });
    });
  }

  #of(key: string): Known {
    let known = this.#nodes.get(key);
    if (known === undefined) {
      known = { lives: [], changes: [], rowDeletedAtMs: NEVER };
      this.#nodes.set(key, known);
    }
    return known;
  }
}

interface Lapse {
  readonly fromMs: number;
  readonly toMs: number;
  /** What began it. */
  readonly by: RowChange;
}

/** When the row was not active, of what touches this time; `fromMs` may lie before it. */
function lapses(changes: readonly RowChange[], fromMs: number, toMs: number): Lapse[] {
  const found: Lapse[] = [];
  let by: RowChange | undefined;
  for (const change of changes) {
    if (change.atMs > toMs) break;
    if (change.state !== 'active') by ??= change;
    else if (by !== undefined) {
      found.push({ fromMs: by.atMs, toMs: change.atMs, by });
      by = undefined;
    }
  }
  if (by !== undefined) found.push({ fromMs: by.atMs, toMs, by });
  return found.filter((lapse) => lapse.toMs > fromMs && fromMs < toMs);
}

/** What is over has been judged: of the past the last write of each kind is enough. */
function forget(known: Known, nowMs: number): void {
  const opened = known.changes.findLast(({ atMs, cause }) => atMs <= nowMs && cause === 'keep-alive');
  const active = known.changes.findLastIndex(({ atMs, state }) => atMs <= nowMs && state === 'active');
  const rest = known.changes.slice(Math.max(0, active));
  known.changes = opened === undefined || rest.includes(opened) ? rest : [opened, ...rest];
  known.lives.splice(0, Math.max(0, known.lives.length - 2));
}
