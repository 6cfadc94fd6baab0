import type { Clock } from '../rpc/clock.js';

/** Savings are kept for so long: a quiet hour buys no storm. */
const HORIZON_MS = 10_000;

/**
 * How many retries there may be: a share of the requests, plus one a second, so that a gateway with little to do
 * may still try again, and one with much to do does not double the load of a manager that is failing.
 */
export interface RetryBudget {
  /** A first attempt is made: its share is saved. */
  deposit(): void;
  /** May there be one retry? It is paid for with the answer. */
  withdraw(): boolean;
}

/** `limits.budget`: the share, 0 to 1, as it is when a request is made. */
export function createRetryBudget(options: {
  limits: { readonly budget: number };
  clock: Clock;
}): RetryBudget {
  const { limits, clock } = options;
  const perSecond = 1;
  let atMs = clock.nowMs();
  let savings = perSecond;
  let deposited = 0;

  /** Savings fade as time passes, evenly over the horizon, and one a second is added. */
  const age = (): void => {
    const now = clock.nowMs();
    const passed = Math.max(0, now - atMs);
    atMs = now;
    deposited *= Math.max(0, 1 - passed / HORIZON_MS);
    savings = Math.min(perSecond * (HORIZON_MS / 1000), savings + (passed / 1000) * perSecond);
  };

  return {
    deposit() {
      age();
      deposited += limits.budget;
    },
    withdraw() {
      age();
      if (deposited >= 1) {
        deposited -= 1;
        return true;
      }
      if (savings < 1) return false;
      savings -= 1;
      return true;
    },
  };
}
