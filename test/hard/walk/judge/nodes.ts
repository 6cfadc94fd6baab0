import type { NodeEnd } from '../crowd/node.js';
import type { RowChange } from '../stage/managers.js';
import { FOREVER, forget, type Known, type Lapse, type Life, lapses, NEVER, story } from './node-history.js';
import type { Violation } from './violation.js';

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
  /** But for a replica that takes over from a dead one among faults, so long. */
  readonly adoptedMs: number;
}

/** A round, as far as nodes are concerned. */
export interface NodeRound {
  /** The last fault was over. */
  readonly calmFromMs: number;
  readonly toMs: number;
  /** Until then an end may have been lost with a manager that took no writes: "stays as the manager last saw it" (README, limits). */
  readonly lossUntilMs: number;
  /** What a machine that stood still may have added to each of them. */
  readonly allowanceMs: number;
}

/** What is told of in a report, though no promise was broken. */
export interface NodeCounts {
  /** Held against the row; how many of them came among the faults. */
  ends: number;
  amongFaults: number;
  /** Before it could be told: it is held to be active instead. */
  cameBack: number;
  /** It never was registered in that life. */
  nobody: number;
  /** Is active by its registration, as it would be without a gateway: no KeepAlive of that life came through to a manager. */
  unheard: number;
  /** Is active for good, because nobody took the end (README, limits). */
  lost: number;
  /** Kept active for a while by a replica that took over from another one, after they had ended. */
  adopted: number;
  lateThroughOther: number;
  deletedRows: number;
}

/** Live nodes are active, those that ended are not, and nobody brings them back. Told as it happens, judged when a round is over. */
export class NodesJudge {
  readonly #limits: NodeLimits;
  readonly #nodes = new Map<string, Known>();
  readonly counts: NodeCounts = {
    ends: 0,
    amongFaults: 0,
    cameBack: 0,
    nobody: 0,
    unheard: 0,
    lost: 0,
    adopted: 0,
    lateThroughOther: 0,
    deletedRows: 0,
  };

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
      const last = changes.findLast(({ atMs }) => atMs <= dueMs);
      const isOver = how === 'deleted' ? last?.state === 'gone' : last?.state !== 'active';
      const wasHeard = changes.some(
        ({ cause, atMs }) => cause === 'keep-alive' && atMs >= life.fromMs && atMs <= dueMs,
      );
      const outcome = this.#outcome(life, { cameBack, isOver, wasHeard, lossUntilMs: round.lossUntilMs });
      this.counts[outcome] += 1;
      if (outcome !== 'ends') return [];
      if (isAmongFaults) this.counts.amongFaults += 1;
      if (isOver) return [];
      const text = `${key}: ${how}, and ${last?.state} ${Math.round(dueMs - endedAtMs)} ms later, by ${last?.cause}; ${story(life, changes)}`;
      return [{ rule: 'a silent node is inactive in time', atMs: dueMs, text }];
    });
  }

  #outcome(
    { registeredAtMs, endedAtMs }: Life,
    seen: { cameBack: boolean; isOver: boolean; wasHeard: boolean; lossUntilMs: number },
  ): 'cameBack' | 'nobody' | 'unheard' | 'lost' | 'ends' {
    if (seen.cameBack) return 'cameBack';
    if (registeredAtMs === undefined) return 'nobody';
    if (seen.isOver) return 'ends';
    if (endedAtMs < seen.lossUntilMs) return 'lost';
    return seen.wasHeard ? 'ends' : 'unheard';
  }

  #staysGone(key: string, { lives, changes }: Known, round: NodeRound): Violation[] {
    return lives.flatMap((life, index) => {
      const { endedAtMs, how } = life;
      const nextMs = lives[index + 1]?.fromMs ?? FOREVER;
      const calmMs = round.calmFromMs + this.#limits.recoveryMs;
      const gone = changes.filter(({ atMs }) => atMs > endedAtMs + this.#limits.backAfterMs && atMs < nextMs);
      return gone
        .filter(({ state, cause }) => state === 'active' || (how === 'deleted' && cause === 'registered'))
        .filter(({ atMs }) => atMs <= round.toMs)
        .filter((back) => {
          const over = changes.find(({ atMs, state }) => atMs >= back.atMs && state !== 'active');
          const forMs = Math.min(over?.atMs ?? round.toMs, nextMs) - back.atMs;
          // A replica that dies among faults leaves its nodes to another one, which gives them time to come.
          const isAdopted =
            back.cause === 'keep-alive' && back.atMs < calmMs && forMs <= this.#limits.adoptedMs;
          if (isAdopted) this.counts.adopted += 1;
          return !isAdopted;
        })
        .map(({ atMs, state, cause, via }) => {
          const text = `${key}: ${how}, and ${state} again ${Math.round(atMs - endedAtMs)} ms later, by ${cause} via ${via}; ${story(life, changes)}`;
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
