import { Counter, Gauge, type Registry } from 'prom-client';
import type { BreakerStateName } from './events.js';
import { METRIC_PREFIX } from './gauges.js';
import type { RedisEvent } from './log-redis.js';

const STATES: readonly BreakerStateName[] = ['closed', 'half-open', 'open'];

/** The series of Redis, and which event moves which. */
export function createRedisMetrics(registry: Registry): (event: RedisEvent) => void {
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T> =>
    new Counter({ name: METRIC_PREFIX + name, help, labelNames, registers: [registry] });
  const errors = counter('redis_errors_total', 'Commands and connections of Redis that failed.', [
    'operation',
    'reason',
  ]);
  const rejected = counter(
    'redis_rejected_total',
    'Answers, and questions of callers, in Redis that failed a check and were not used.',
    ['reason'],
  );
  const lookUps = counter('redis_lookups_total', 'Looks into Redis, by what was there.', ['result']);
  const stores = counter('redis_stores_total', 'Answers offered to Redis, by what became of them.', [
    'result',
  ]);
  const connected = counter('redis_connections_total', 'Connections to Redis that became ready.', []);
  const breaker = new Gauge({
    name: `${METRIC_PREFIX}redis_breaker_state`,
    help: 'The state a breaker of Redis is in is 1.',
    labelNames: ['breaker', 'state'],
    registers: [registry],
  });
  const enter = (name: string, to: BreakerStateName): void => {
    for (const state of STATES) breaker.set({ breaker: name, state }, Number(state === to));
  };
  enter('reads', 'closed');
  enter('writes', 'closed');
  enter('claims', 'closed');
  for (const result of ['newer', 'older', 'none']) lookUps.inc({ result }, 0);
  for (const result of ['stored', 'asked-earlier', 'other-schema', 'too-large']) stores.inc({ result }, 0);
  for (const reason of [
    'unreadable',
    'check',
    'unknown-schema',
    'from-the-future',
    'went-back',
    'too-large',
    'other-type',
  ])
    rejected.inc({ reason }, 0);

  return (event) => {
    switch (event.kind) {
      case 'redis-connected':
        return connected.inc();
      case 'redis-failed':
        return errors.inc({ operation: event.operation, reason: event.reason });
      case 'redis-answer-rejected':
      case 'redis-question-rejected':
        return rejected.inc({ reason: event.reason });
      case 'redis-looked-up':
        return lookUps.inc({ result: event.result });
      case 'redis-store-ended':
        return stores.inc({ result: event.result });
      case 'redis-breaker-changed':
        return enter(event.breaker, event.to);
      default:
        return event satisfies never;
    }
  };
}
