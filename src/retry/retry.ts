import { classify } from '../breaker/classify.js';
import type { Config } from '../config/config.js';
import { codeOf } from '../errors.js';
import type { Emit } from '../observe/events.js';
import type { Clock } from '../rpc/clock.js';
import type { Read, ReadAnswer, ReadHandler, Stage } from '../rpc/read.js';
import type { RetryBudget } from './budget.js';

export interface RetryOptions {
  readonly limits: Config['retry'];
  readonly budget: RetryBudget;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
}

/**
 * What an attempt must have left of the flight's time, or it is not begun: cut off before any manager could answer, it would
 * be one more fault against it. A second, or a tenth of the flight where that is less.
 */
const LEAST_MS = 1_000;
const LEAST_SHARE = 0.1;

/**
 * Asks again after a transient fault, within the flight's deadline and the budget. Everything else is final: a fact
 * is an answer, a permanent error stays one, back-pressure asks for less, and an open breaker has just said no.
 */
export function retry(options: RetryOptions): Stage {
  return (next) => async (read) => {
    options.budget.deposit();
    const flightMs = (read.deadlineMs ?? Number.POSITIVE_INFINITY) - options.clock.nowMs();
    const leastMs = Math.min(LEAST_MS, flightMs * LEAST_SHARE);
    const attempts = read.attempts === 'one' ? 1 : options.limits.maxAttempts;
    for (let attempt = 1; ; attempt++) {
      const outcome = await attemptOnce(next, read);
      if (!outcome.transient || attempt >= attempts || !(await pause(options, read, attempt, leastMs)))
        return outcome.settle();
    }
  };
}

type AttemptOutcome = { readonly transient: boolean; readonly settle: () => ReadAnswer };

async function attemptOnce(next: ReadHandler, read: Read): Promise<AttemptOutcome> {
  try {
    const answer = await next(read);
    return { transient: classify(answer.reply.status) === 'transient', settle: () => answer };
  } catch (error) {
    const settle = (): ReadAnswer => {
      throw error;
    };
    return { transient: codeOf(error) === 'manager-unavailable', settle };
  }
}

/** Waits before attempt `attempt + 1`; false if there may be none. */
async function pause(options: RetryOptions, read: Read, attempt: number, leastMs: number): Promise<boolean> {
  const { limits, budget, clock, random, emit } = options;
  const method = read.question.path.slice(1);
  // Full jitter: anything from nothing to the whole step, so that those who failed together do not return together.
  const delayMs = random() * limits.backoffMs * 2 ** (attempt - 1);
  if (read.deadlineMs !== undefined && clock.nowMs() + delayMs + leastMs > read.deadlineMs) {
    emit({ kind: 'retry-refused', method, reason: 'deadline' });
    return false;
  }
  if (!budget.withdraw()) {
    emit({ kind: 'retry-refused', method, reason: 'budget' });
    return false;
  }
  emit({ kind: 'retry-scheduled', method, attempt: attempt + 1, delayMs });
  await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve));
  return true;
}
