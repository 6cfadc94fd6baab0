import { Gauge, type Registry } from 'prom-client';
import type {
  BreakerStateName,
  RedisErrorReason,
  RedisEvent,
  RedisLookUpResult,
  RedisOperation,
  RedisRejectReason,
  RedisStoreResult,
  RegistrationRejectReason,
} from './events.js';
import { METRIC_PREFIX } from './metric-prefix.js';
import { membersOf, seriesMaker } from './series.js';

const OPERATIONS = membersOf<RedisOperation>({
  connect: 0,
  subscribe: 0,
  'look-up': 0,
  pulse: 0,
  store: 0,
  mark: 0,
  drop: 0,
  'add-asked': 0,
  'read-asked': 0,
  'claim-take': 0,
  'claim-renew': 0,
  'claim-yield': 0,
  'claim-release': 0,
  'claim-ended': 0,
  'claim-offer': 0,
  'claim-look': 0,
  'registration-put': 0,
  'registration-claim': 0,
  'registration-finish': 0,
  'registration-bury': 0,
  'registration-find': 0,
  'registration-list': 0,
  'registration-audit': 0,
  'registration-watch': 0,
  'registration-turn': 0,
});
const ERRORS = membersOf<RedisErrorReason>({
  timeout: 0,
  connection: 0,
  denied: 0,
  'read-only': 0,
  'out-of-memory': 0,
  protocol: 0,
  other: 0,
});
const REJECTED = membersOf<RedisRejectReason>({
  unreadable: 0,
  check: 0,
  'unknown-schema': 0,
  'from-the-future': 0,
  'went-back': 0,
  'too-large': 0,
  'other-type': 0,
});
const REGISTRATIONS_REJECTED = membersOf<RegistrationRejectReason>({
  unreadable: 0,
  check: 0,
  'unknown-schema': 0,
});
const LOOK_UPS = membersOf<RedisLookUpResult>({ newer: 0, older: 0, none: 0 });
const STORES = membersOf<RedisStoreResult>({
  stored: 0,
  'asked-earlier': 0,
  'other-schema': 0,
  'too-large': 0,
});
const STATES: readonly BreakerStateName[] = ['closed', 'half-open', 'open'];

/** The series of Redis, and which event moves which. */
export function createRedisMetrics(registry: Registry): (event: RedisEvent) => void {
  const { counter } = seriesMaker(registry);
  const errors = counter('redis_errors_total', 'Commands and connections of Redis that failed.', {
    operation: OPERATIONS,
    reason: ERRORS,
  });
  const rejected = counter(
    'redis_rejected_total',
    'Answers, and questions of callers, in Redis that failed a check and were not used.',
    { reason: REJECTED },
  );
  const registrations = counter(
    'redis_registrations_rejected_total',
    'Registrations in Redis that failed a check and were not used.',
    { reason: REGISTRATIONS_REJECTED },
  );
  const lookUps = counter('redis_lookups_total', 'Looks into Redis, by what was there.', {
    result: LOOK_UPS,
  });
  const stores = counter('redis_stores_total', 'Answers offered to Redis, by what became of them.', {
    result: STORES,
  });
  const connected = counter('redis_connections_total', 'Connections to Redis that became ready.');
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
  enter('registrations', 'closed');

  return (event) => {
    switch (event.kind) {
      case 'redis-connected':
        return connected.inc();
      case 'redis-failed':
        return errors.inc({ operation: event.operation, reason: event.reason });
      case 'redis-answer-rejected':
      case 'redis-question-rejected':
        return rejected.inc({ reason: event.reason });
      case 'redis-registration-rejected':
        return registrations.inc({ reason: event.reason });
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
