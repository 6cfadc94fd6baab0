import type { NodeEnd } from '../crowd/node.js';

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
  /** What was on its way when the last fault ended has arrived; a row that is written wrong while all is well is put right. */
  readonly arrivedMs: number;
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
  /** It never was registered in that life, and its row is as it was. */
  nobody: number;
  /** Is active by its registration, as it would be without a gateway: no KeepAlive of that life came through to a manager. */
  unheard: number;
  /** Is active for good, because nobody took the end (README, limits), and nobody has set it active since. */
  lost: number;
  /** Kept active for a while by a replica that took over from another one, after they had ended. */
  adopted: number;
  lateThroughOther: number;
  deletedRows: number;
}
