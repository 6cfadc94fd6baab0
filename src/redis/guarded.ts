import { type Breaker, createBreaker } from '../breaker/breaker.js';
import type { Emit, RedisBreakerName, RedisOperation } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';
import { redisFailed } from './redis-failed.js';

/** How long Redis is left alone after a failure; then one trial, for which no caller waits. */
const RESET_TIMEOUT_MS = 1_000;
/** One failure is enough: whoever comes after it is to lose no time. The percentage is of a window in which anything else succeeded. */
const LIMITS = { volumeThreshold: 1, errorRate: 0, windowMs: 10_000, resetTimeoutMs: RESET_TIMEOUT_MS };

/** Commands of Redis, each within `redis.timeout` and behind one breaker. */
export interface Guarded {
  readonly closed: boolean;
  /** Undefined: Redis could not, or is left alone; that has been told already. Never rejects. */
  run<T>(operation: RedisOperation, attempt: () => Promise<T>): Promise<T | undefined>;
  shutdown(): void;
}

export interface GuardedOptions {
  readonly name: RedisBreakerName;
  readonly timeoutMs: number;
  /** The next one that runs is the trial. */
  readonly onHalfOpen: () => void;
  readonly clock: Clock;
  readonly emit: Emit;
}

export function createGuarded({ name, timeoutMs, onHalfOpen, clock, emit }: GuardedOptions): Guarded {
  // Whoever waits while the breaker opens waits no longer: the window costs one timeout, not one for each key. Not by a race with one promise
  // of the breaker's, which would hold on to the answer of every command until it opens, and it may never.
  const waiting = new Set<() => void>();
  const release = (): void => {
    for (const end of [...waiting]) end();
  };
  const breaker: Breaker<unknown> = createBreaker<unknown>({
    method: 'redis',
    limits: LIMITS,
    judge: () => ({ verdict: 'works', detail: '' }),
    judgeError: (error) => ({ verdict: 'fault', detail: String(error) }),
    clock,
    emit(event) {
      if (event.kind !== 'breaker-changed') return;
      emit({ kind: 'redis-breaker-changed', breaker: name, from: event.from, to: event.to });
      if (event.to === 'half-open') queueMicrotask(onHalfOpen);
      if (event.to === 'open') release();
    },
  });

  const attempted = async <T>(operation: RedisOperation, attempt: () => Promise<T>): Promise<T> => {
    try {
      return await within(attempt(), timeoutMs, clock);
    } catch (error) {
      emit(redisFailed(operation, error));
      throw error;
    }
  };

  return {
    get closed() {
      return breaker.state.kind === 'closed';
    },
    run<T>(operation: RedisOperation, attempt: () => Promise<T>) {
      if (breaker.state.kind === 'open') return Promise.resolve(undefined);
      return new Promise<T | undefined>((resolve) => {
        const end = (result?: unknown): void => {
          waiting.delete(end);
          resolve(result as Awaited<T> | undefined);
        };
        waiting.add(end);
        breaker.run(() => attempted(operation, attempt)).then(end, () => end());
      });
    },
    shutdown() {
      breaker.shutdown();
      release();
    },
  };
}

function within<T>(attempt: Promise<T>, timeoutMs: number, clock: Clock): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = clock.setTimer(timeoutMs, () => reject(new Error(`timed out after ${timeoutMs} ms`)));
  });
  return Promise.race([attempt, late]).finally(() => timer?.cancel());
}
