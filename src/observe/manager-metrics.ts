import { codeName } from '../rpc/status.js';
import type {
  AddressState,
  BreakerStateName,
  ChannelCloseReason,
  ChannelCreateReason,
  GatewayEvent,
} from './events.js';
import { LATENCY_BUCKETS, membersOf, type SeriesMaker } from './series.js';

type Measured = Extract<
  GatewayEvent,
  {
    kind:
      | 'manager-answered'
      | 'retry-scheduled'
      | 'retry-refused'
      | 'breaker-changed'
      | 'breaker-refused'
      | 'manager-overloaded'
      | 'channel-created'
      | 'channel-closed'
      | 'probe-finished';
  }
>;

const CREATED = membersOf<ChannelCreateReason>({
  start: 0,
  'connect-timeout': 0,
  unresponsive: 0,
  'address-changed': 0,
});
const CLOSED = membersOf<ChannelCloseReason>({
  'connect-timeout': 0,
  unresponsive: 0,
  'address-changed': 0,
  shutdown: 0,
});
const BREAKER = membersOf<BreakerStateName>({ closed: 0, open: 0, 'half-open': 0 });
const OUTCOMES = membersOf<Exclude<AddressState, 'unknown'>>({ healthy: 0, slow: 0, failed: 0 });
const NOT_RETRIED = membersOf<Extract<GatewayEvent, { kind: 'retry-refused' }>['reason']>({
  budget: 0,
  deadline: 0,
});

export interface ManagerMetricsOptions {
  readonly readMethods: readonly string[];
  /** Positions in `managers.addrs`, as text. */
  readonly managers: readonly string[];
}

/** What is asked of the managers, and what comes back. */
export function createManagerMetrics(
  { counter, histogram }: SeriesMaker,
  { readMethods: method, managers: manager }: ManagerMetricsOptions,
): (event: Measured) => void {
  const created = counter('upstream_channels_created_total', 'Channels opened to the manager.', {
    manager,
    reason: CREATED,
  });
  const closed = counter('upstream_channels_closed_total', 'Channels to the manager that were closed.', {
    manager,
    reason: CLOSED,
  });
  const response = histogram(
    'manager_response_seconds',
    'Time the manager took for one attempt.',
    { method },
    LATENCY_BUCKETS,
  );
  // Other codes and classes come with the first attempt that ends so.
  const attempts = counter('manager_attempts_total', 'Attempts at the manager, by code and error class.', {
    manager,
    method,
    code: ['OK'],
    class: ['none'],
  });
  const retries = counter('retries_total', 'Second and later attempts.', { method });
  const retriesRefused = counter('retries_refused_total', 'Retries that were not made.', {
    method,
    reason: NOT_RETRIED,
  });
  const breakerChanges = counter('breaker_changes_total', 'State changes of a breaker.', {
    method,
    to: BREAKER,
  });
  const breakerRefused = counter(
    'breaker_refused_total',
    'Attempts that an open breaker spared the manager.',
    {
      method,
    },
  );
  const overloaded = counter('overloaded_total', 'Attempts refused because too many were in flight.', {
    method,
  });
  const probes = counter('probes_total', 'Probes of the manager, by outcome.', {
    manager,
    outcome: OUTCOMES,
  });
  const probeLatency = histogram('probe_seconds', 'Time a probe took.', { manager }, LATENCY_BUCKETS);

  return (event) => {
    switch (event.kind) {
      case 'manager-answered':
        response.observe({ method: event.method }, event.latencyMs / 1000);
        return attempts.inc({
          manager: event.manager,
          method: event.method,
          code: codeName(event.code),
          class: event.errorClass ?? 'none',
        });
      case 'retry-scheduled':
        return retries.inc({ method: event.method });
      case 'retry-refused':
        return retriesRefused.inc({ method: event.method, reason: event.reason });
      case 'breaker-changed':
        return breakerChanges.inc({ method: event.method, to: event.to });
      case 'breaker-refused':
        return breakerRefused.inc({ method: event.method });
      case 'manager-overloaded':
        return overloaded.inc({ method: event.method });
      case 'channel-created':
        return created.inc({ manager: event.manager, reason: event.reason });
      case 'channel-closed':
        return closed.inc({ manager: event.manager, reason: event.reason });
      case 'probe-finished':
        probeLatency.observe({ manager: event.manager }, event.latencyMs / 1000);
        return probes.inc({ manager: event.manager, outcome: event.state });
      default:
        return event satisfies never;
    }
  };
}
