import { codeOf, GatewayError } from '../errors.js';
import type { Emit } from '../observe/events.js';
import type { Answer } from '../rpc/answer.js';
import type { Clock } from '../rpc/clock.js';
import type { Read, ReadAnswer, ReadHandler, Stage } from '../rpc/read.js';
import { createRate, RAMP_MS, type Rate } from './rate.js';

/** `away`: no manager has answered since; `ramp`: one is back, and what expired meanwhile is asked for step by step. */
export type PaceState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'away' }
  | { readonly kind: 'ramp'; readonly sinceMs: number; readonly heldAtMs: number };

export interface PaceOptions {
  /** Calls a second at the manager in the first 10 s of its return. */
  readonly perSecond: number;
  readonly managerHealthy: () => boolean;
  /** Is there an answer that may be given instead of asking now? */
  readonly standsIn: (read: Read) => boolean;
  /** What an answer says of the manager: it works, it asks for less, or it fails. */
  readonly judge: (answer: Answer) => 'works' | 'backpressure' | 'fault';
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
}

export interface Pace {
  readonly stage: Stage;
  readonly state: PaceState['kind'];
  /** Looks whether the managers have gone away: who asks nothing meanwhile would not notice. */
  look(): void;
  /** How long until a refresh may go out, ms; 0: now. */
  waitMs(): number;
  /**
   * For what the gateway has to ask for itself: resolves when it may go out, which is at once but while a manager is being caught
   * up with. Its place is kept for it, and refreshes give way.
   */
  turn(): Promise<void>;
}

/** Gaps are up to so much longer than they need be, so that replicas do not fall into step. */
const JITTER_SHARE = 0.2;
const BURST_SHARE = 0.1;
/** Those who ask without having an answer push refreshes back, but no further than this. */
const LONGEST_DEBT_MS = 1_000;
/** The ramp is over when nobody has been held back for so long. */
const CALM_MS = 5_000;

/**
 * Between the single-flight and the manager: when the managers were away and one is back, thousands of entries have
 * expired at once. Reads with an answer to fall back on then go out one by one, at a rate; one that comes too early is
 * refused here at once, so that its caller has the stale answer without waiting. Reads with nothing to fall back on pass,
 * and count. Nothing is queued: entries are asked for again by their callers and by the warm-up.
 */
export function createPace(options: PaceOptions): Pace {
  const { clock, emit } = options;
  let state: PaceState = { kind: 'idle' };
  let rate: Rate = createRate({ perSecond: options.perSecond, sinceMs: clock.nowMs() });
  // When the calls let go so far would be paid off at the rate (GCRA, as in ATM's leaky bucket).
  let paidAtMs = Number.NEGATIVE_INFINITY;

  const enter = (next: PaceState): void => {
    if (next.kind !== state.kind) emit({ kind: 'pace-changed', from: state.kind, to: next.kind });
    state = next;
  };
  const goAway = (): void => {
    if (state.kind === 'away') return;
    rate = createRate({ perSecond: options.perSecond, sinceMs: clock.nowMs() });
    enter({ kind: 'away' });
  };
  const look = (): void => {
    const nowMs = clock.nowMs();
    if (state.kind === 'idle' && !options.managerHealthy()) goAway();
    if (state.kind !== 'ramp') return;
    if (nowMs - state.sinceMs >= RAMP_MS && nowMs - state.heldAtMs >= CALM_MS) enter({ kind: 'idle' });
  };
  const comeBack = (): void => {
    if (state.kind !== 'away') return;
    const nowMs = clock.nowMs();
    rate = createRate({ perSecond: options.perSecond, sinceMs: nowMs });
    enter({ kind: 'ramp', sinceMs: nowMs, heldAtMs: nowMs });
  };
  const take = (nowMs: number): void => {
    const { gapMs } = spacing(rate.perSecond(nowMs));
    paidAtMs = Math.max(paidAtMs, nowMs) + gapMs * (1 + JITTER_SHARE * options.random());
  };
  const waitMs = (nowMs: number): number =>
    Math.max(0, paidAtMs - spacing(rate.perSecond(nowMs)).creditMs - nowMs);

  /** True: it must wait. */
  const holdBack = (read: Read): boolean => {
    const nowMs = clock.nowMs();
    const early = waitMs(nowMs) > 0;
    if (!early || !options.standsIn(read)) {
      if (!early || paidAtMs - nowMs < LONGEST_DEBT_MS) take(nowMs);
      return false;
    }
    if (state.kind === 'ramp') state = { ...state, heldAtMs: nowMs };
    emit({ kind: 'read-held-back', method: read.question.path.slice(1) });
    return true;
  };

  const watched = async (next: ReadHandler, read: Read): Promise<ReadAnswer> => {
    try {
      const answer = await next(read);
      const verdict = options.judge(answer);
      if (verdict !== 'fault') comeBack();
      if (verdict === 'backpressure' && state.kind === 'ramp' && rate.cut(clock.nowMs()))
        emit({ kind: 'pace-lowered', perSecond: rate.perSecond(clock.nowMs()) });
      return answer;
    } catch (error) {
      // The breaker has seen enough faults to stop asking: that is what being away looks like from here.
      if (codeOf(error) === 'breaker-open') goAway();
      throw error;
    }
  };

  return {
    stage: (next) => (read) => {
      look();
      if (state.kind === 'idle' || !holdBack(read)) return watched(next, read);
      return Promise.reject(
        new GatewayError('overloaded', 'manager-gateway: the manager is back; asked again step by step'),
      );
    },
    get state() {
      return state.kind;
    },
    look,
    waitMs: () => (state.kind === 'idle' ? 0 : waitMs(clock.nowMs())),
    turn() {
      look();
      if (state.kind === 'idle') return Promise.resolve();
      const nowMs = clock.nowMs();
      const delayMs = waitMs(nowMs);
      take(nowMs);
      if (delayMs <= 0) return Promise.resolve();
      return new Promise((resolve) => clock.setTimer(delayMs, resolve));
    },
  };
}

/** A tenth of a second's calls may go at once, so that a small fleet notices nothing; no second ever has more than `perSecond`. */
function spacing(perSecond: number): { readonly gapMs: number; readonly creditMs: number } {
  const burst = Math.max(1, perSecond * BURST_SHARE);
  const gapMs = 1000 / Math.max(perSecond - burst, perSecond / 2);
  return { gapMs, creditMs: (burst - 1) * gapMs };
}
