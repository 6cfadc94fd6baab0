import type { Config } from '../config/config.js';
import { codeOf } from '../errors.js';
import type { BreakerStateName, Emit } from '../observe/events.js';
import type { Clock } from '../rpc/clock.js';
import type { ReadAnswer, Stage } from '../rpc/read.js';
import { codeName } from '../rpc/status.js';
import { type Breaker, createBreaker, type Verdict } from './breaker.js';
import { classify } from './classify.js';

export interface Breakers {
  readonly stage: Stage;
  /** State by method label; a method that was never asked is not in it. */
  states(): ReadonlyMap<string, BreakerStateName>;
  shutdown(): void;
}

/** One breaker per method, round one attempt. Made at the first asking: the table of methods bounds their number. */
export function createBreakers(options: { limits: Config['breaker']; clock: Clock; emit: Emit }): Breakers {
  const breakers = new Map<string, Breaker<ReadAnswer>>();
  const breakerOf = (method: string): Breaker<ReadAnswer> => {
    const known = breakers.get(method);
    if (known !== undefined) return known;
    const made = createBreaker<ReadAnswer>({ ...options, method, judge, judgeError });
    breakers.set(method, made);
    return made;
  };
  return {
    stage: (next) => (read) =>
      breakerOf(read.question.path.slice(1)).run((kind) =>
        next(kind === 'trial' ? { ...read, trial: true } : read),
      ),
    states: () => new Map([...breakers].map(([method, { state }]) => [method, state.kind])),
    shutdown: () => {
      for (const breaker of breakers.values()) breaker.shutdown();
    },
  };
}

/** Back-pressure, and answers about one caller, come from a manager that works. */
function judge({ reply }: ReadAnswer): { verdict: Verdict; detail: string } {
  const fault = classify(reply.status) === 'transient';
  return {
    verdict: fault ? 'fault' : 'works',
    detail: `${codeName(reply.status.code)} "${reply.status.message}"`,
  };
}

function judgeError(error: unknown): { verdict: Verdict; detail: string } {
  const timedOut = codeOf(error) === 'manager-timeout';
  return {
    verdict: timedOut ? 'fault' : 'neutral',
    detail: error instanceof Error ? error.message : String(error),
  };
}
