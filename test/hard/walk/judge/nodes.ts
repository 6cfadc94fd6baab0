import type { NodeEnd } from '../crowd/node.js';
import type { RowChange } from '../stage/managers.js';
import { FOREVER, forget, type Known, type Lapse, type Life, lapses, NEVER, story } from './node-history.js';
import type { NodeCounts, NodeLimits, NodeRound } from './node-terms.js';
import type { Violation } from './violation.js';

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
      const isBack = !isOver && this.#wasWrittenSince(life, last, round);
      const outcome = this.#outcome(life, { cameBack, isOver, isBack, wasHeard, round });
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
    seen: { cameBack: boolean; isOver: boolean; isBack: boolean; wasHeard: boolean; round: NodeRound },
  ): 'cameBack' | 'nobody' | 'unheard' | 'lost' | 'ends' {
    if (seen.cameBack) return 'cameBack';
    if (seen.isBack) return 'ends';
    if (registeredAtMs === undefined) return 'nobody';
    if (seen.isOver) return 'ends';
    if (endedAtMs < seen.round.lossUntilMs) return 'lost';
    return seen.wasHeard ? 'ends' : 'unheard';
  }

  /** Neither a lost end nor a registration of its own, late as it may be: managers take writes, and nothing of the node's is on its way. */
  #wasWrittenSince({ endedAtMs }: Life, last: RowChange | undefined, round: NodeRound): boolean {
    const arrivedMs = Math.max(endedAtMs, round.calmFromMs, round.lossUntilMs) + this.#limits.arrivedMs;
    return last !== undefined && last.atMs > arrivedMs + round.allowanceMs;
  }

  #staysGone(key: string, { lives, changes }: Known, round: NodeRound): Violation[] {
    return lives.flatMap((life, index) => {
      const { endedAtMs, how } = life;
      const untilMs = Math.min(lives[index + 1]?.fromMs ?? FOREVER, round.toMs);
      return changes
        .filter(({ atMs }) => atMs > endedAtMs && atMs <= untilMs)
        .filter(({ state, cause }) => state === 'active' || (how === 'deleted' && cause === 'registered'))
        .filter((back) =>
          back.atMs > endedAtMs + this.#limits.backAfterMs
            ? !this.#isAdopted(changes, back, untilMs, round)
            : this.#staysBack(changes, back, untilMs, life, round),
        )
        .map(({ atMs, state, cause, via }) => {
          const text = `${key}: ${how}, and ${state} again ${Math.round(atMs - endedAtMs)} ms later, by ${cause} via ${via}; ${story(life, changes)}`;
          return { rule: 'nobody who has ended is brought back', atMs, text };
        });
    });
  }

  /** A replica that dies among faults leaves its nodes to another one, which gives them time to come. */
  #isAdopted(changes: readonly RowChange[], back: RowChange, untilMs: number, round: NodeRound): boolean {
    const over = changes.find(({ atMs, state }) => atMs >= back.atMs && state !== 'active');
    const forMs = Math.min(over?.atMs ?? FOREVER, untilMs) - back.atMs;
    const isAmongFaults = back.atMs < round.calmFromMs + this.#limits.recoveryMs;
    const isAdopted = back.cause === 'keep-alive' && isAmongFaults && forMs <= this.#limits.adoptedMs;
    if (isAdopted) this.counts.adopted += 1;
    return isAdopted;
  }

  /** Of one that has ended while all was well, soon after it was gone, and for longer than it takes to put that right. */
  #staysBack(
    changes: readonly RowChange[],
    back: RowChange,
    untilMs: number,
    { endedAtMs, how }: Life,
    { calmFromMs, allowanceMs }: NodeRound,
  ): boolean {
    const { recoveryMs, endMs, arrivedMs } = this.#limits;
    if (how === undefined || endedAtMs < calmFromMs + recoveryMs) return false;
    if (back.atMs <= endedAtMs + endMs[how] + allowanceMs) return false;
    const over = changes.find(
      ({ atMs, state }) => atMs > back.atMs && (how === 'deleted' ? state === 'gone' : state !== 'active'),
    );
    return Math.min(over?.atMs ?? FOREVER, untilMs) - back.atMs > arrivedMs + allowanceMs;
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
