import CircuitBreaker from 'opossum';
import type { Config } from '../config/config.js';
import { GatewayError } from '../errors.js';
import type { BreakerStateName, Emit } from '../observe/events.js';
import type { Clock } from '../rpc/clock.js';

/** What one attempt says about the manager. `neutral`: nothing, it never got there. */
export type Verdict = 'works' | 'fault' | 'neutral';

/** States in which a breaker can be, with what belongs to each. */
export type BreakerState =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly sinceWallMs: number; readonly lastFault: string }
  | { readonly kind: 'half-open' };

/** One breaker. */
export interface Breaker<T> {
  readonly state: BreakerState;
  /** Runs `attempt`, which must end within a deadline of its own, or refuses with `breaker-open`. */
  run(attempt: (kind: 'usual' | 'trial') => Promise<T>): Promise<T>;
  shutdown(): void;
}

export interface BreakerOptions<T> {
  readonly method: string;
  readonly limits: Config['breaker'];
  /** What a result, or a rejection, of an attempt says about the manager. */
  readonly judge: (result: T) => { verdict: Verdict; detail: string };
  readonly judgeError: (error: unknown) => { verdict: Verdict; detail: string };
  readonly clock: Clock;
  readonly emit: Emit;
}

type Outcome = { readonly verdict: Verdict };

/**
 * opossum as the state machine. While closed an attempt runs outside it and its verdict is entered afterwards,
 * because opossum knows only success and failure: a refusal of our own entered as "success" would thin out the
 * faults of a hung manager until it never opens. While half-open the one trial runs inside it, and anything but a
 * working manager opens it again.
 */
export function createBreaker<T>(options: BreakerOptions<T>): Breaker<T> {
  const { method, limits, emit, clock } = options;
  const machine = new CircuitBreaker<[() => Promise<Outcome>], Outcome>((trial) => trial(), {
    // Every attempt has its own deadline; opossum's would leave the attempt running.
    timeout: false,
    volumeThreshold: limits.volumeThreshold,
    errorThresholdPercentage: limits.errorRate,
    rollingCountTimeout: limits.windowMs,
    rollingCountBuckets: 10,
    resetTimeout: limits.resetTimeoutMs,
    // Percentiles cost seven times the CPU per failure, and the histogram of the metrics has them.
    rollingPercentilesEnabled: false,
  });
  let state: BreakerState = { kind: 'closed' };
  let lastFault = 'no fault seen';
  const enter = (to: BreakerState): void => {
    const from: BreakerStateName = state.kind;
    state = to;
    emit({ kind: 'breaker-changed', method, from, to: to.kind });
  };
  machine.on('open', () => enter({ kind: 'open', sinceWallMs: clock.wallMs(), lastFault }));
  machine.on('halfOpen', () => enter({ kind: 'half-open' }));
  machine.on('close', () => enter({ kind: 'closed' }));

  /** Enters a verdict. Rejections are how opossum says "failure entered" or "open by now": neither is news. */
  const record = async (verdict: Verdict): Promise<void> => {
    if (verdict === 'neutral' || !machine.closed) return;
    await machine
      .fire(() => (verdict === 'works' ? Promise.resolve({ verdict }) : Promise.reject(FAULT)))
      .catch(() => undefined);
  };

  const judged = async (attempt: () => Promise<T>): Promise<{ settle: () => T; verdict: Verdict }> => {
    try {
      const result = await attempt();
      const { verdict, detail } = options.judge(result);
      if (verdict === 'fault') lastFault = detail;
      return { verdict, settle: () => result };
    } catch (error) {
      const { verdict, detail } = options.judgeError(error);
      if (verdict === 'fault') lastFault = detail;
      return {
        verdict,
        settle: () => {
          throw error;
        },
      };
    }
  };

  const refuse = (): GatewayError => {
    emit({ kind: 'breaker-refused', method });
    return new GatewayError('breaker-open', refusal(method, state, limits));
  };

  const tryOut = async (attempt: (kind: 'trial') => Promise<T>): Promise<T> => {
    let settle: (() => T) | undefined;
    const trial = async (): Promise<Outcome> => {
      const done = await judged(() => attempt('trial'));
      settle = done.settle;
      if (done.verdict !== 'works') throw FAULT;
      return done;
    };
    // Rejects without having run the trial when somebody else's trial is under way.
    await machine.fire(trial).catch(() => undefined);
    if (settle === undefined) throw refuse();
    return settle();
  };

  return {
    get state() {
      return state;
    },
    async run(attempt) {
      if (machine.opened) throw refuse();
      if (machine.halfOpen) return tryOut(attempt);
      const { verdict, settle } = await judged(() => attempt('usual'));
      await record(verdict);
      return settle();
    },
    shutdown: () => machine.shutdown(),
  };
}

/** One object for every failure that opossum is told of: it is never shown, so it needs no stack of its own. */
const FAULT = new Error('the manager failed');

function refusal(method: string, state: BreakerState, limits: Config['breaker']): string {
  const next = `asked again within ${limits.resetTimeoutMs} ms`;
  if (state.kind !== 'open') return `${method}: the manager is being tried out after faults; ${next}`;
  const since = new Date(state.sinceWallMs).toISOString();
  return `${method}: the manager is not asked since ${since}, because it failed; last: ${state.lastFault}; ${next}`;
}
