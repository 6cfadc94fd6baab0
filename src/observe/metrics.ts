import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { codeName } from '../rpc/status.js';
import { createClaimMetrics } from './claim-metrics.js';
import type { GatewayEvent } from './events.js';
import { METRIC_PREFIX, type MetricSources, registerGauges } from './gauges.js';
import { initialSeries } from './initial-series.js';
import { createNodeMetrics } from './node-metrics.js';
import { createRedisMetrics } from './redis-metrics.js';
import { warmupSeries } from './warmup-series.js';

export interface Metrics {
  readonly subscriber: (event: GatewayEvent) => void;
  /** The text that Prometheus reads, and its content type. */
  render(): Promise<{ text: string; contentType: string }>;
}

/** From a hit, well under a millisecond, to a manager whose Redis is frozen, 9 s. Seconds. */
const LATENCY_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Seconds: from the TTLs to `cache.maxStale`. */
const AGE_BUCKETS = [1, 15, 30, 60, 120, 300, 900, 3600, 21_600, 86_400, 259_200];

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: METRIC_PREFIX });
  registerGauges(registry, sources);
  const subscriber = createSubscriber(registry, sources);
  return {
    subscriber,
    render: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}

/** Counters and histograms, and the one place that says which event moves which. */
function createSubscriber(
  registry: Registry,
  { readMethods, ...sources }: MetricSources,
): Metrics['subscriber'] {
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T> =>
    new Counter({ name: METRIC_PREFIX + name, help, labelNames, registers: [registry] });
  const histogram = <T extends string>(
    name: string,
    help: string,
    labelNames: readonly T[],
    buckets: number[],
  ): Histogram<T> =>
    new Histogram({ name: METRIC_PREFIX + name, help, labelNames, buckets, registers: [registry] });

  const opened = counter('downstream_connections_opened_total', 'Connections accepted from callers.', []);
  const closed = counter('downstream_connections_closed_total', 'Connections from callers that ended.', [
    'reason',
  ]);
  const refused = counter(
    'downstream_connections_refused_total',
    'Connections from callers that were refused.',
    ['reason'],
  );
  const badInput = counter('bad_input_total', 'Input from callers that is no gRPC, or over a limit.', [
    'reason',
  ]);
  const channelsCreated = counter('upstream_channels_created_total', 'Channels opened to the manager.', [
    'manager',
    'reason',
  ]);
  const channelsClosed = counter(
    'upstream_channels_closed_total',
    'Channels to the manager that were closed.',
    ['manager', 'reason'],
  );
  const answered = counter('answers_total', 'Calls answered, by where the answer came from.', [
    'method',
    'answer',
    'code',
  ]);
  const duration = histogram(
    'answer_duration_seconds',
    'Time from a call to its answer.',
    ['answer'],
    LATENCY_BUCKETS,
  );
  const age = histogram('answer_age_seconds', 'Age of the answers to reads.', ['method'], AGE_BUCKETS);
  const bySource = counter(
    'answers_by_source_total',
    'Answers to reads: own, shared by all who would get the same, what a sibling was given, or callers elsewhere.',
    ['source'],
  );
  const wouldAnswer = counter(
    'would_have_answered_total',
    'Reads in mode observe, by what the answer would have been.',
    ['method', 'answer'],
  );
  const coalesced = counter('coalesced_total', 'Reads that joined an asking under way.', ['method']);
  const response = histogram(
    'manager_response_seconds',
    'Time the manager took for one attempt.',
    ['method'],
    LATENCY_BUCKETS,
  );
  const attempts = counter('manager_attempts_total', 'Attempts at the manager, by code and error class.', [
    'manager',
    'method',
    'code',
    'class',
  ]);
  const retries = counter('retries_total', 'Second and later attempts.', ['method']);
  const retriesRefused = counter('retries_refused_total', 'Retries that were not made.', [
    'method',
    'reason',
  ]);
  const breakerChanges = counter('breaker_changes_total', 'State changes of a breaker.', ['method', 'to']);
  const breakerRefused = counter(
    'breaker_refused_total',
    'Attempts that an open breaker spared the manager.',
    ['method'],
  );
  const overloaded = counter('overloaded_total', 'Attempts refused because too many were in flight.', [
    'method',
  ]);
  const probes = counter('probes_total', 'Probes of the manager, by outcome.', ['manager', 'outcome']);
  const probeLatency = histogram('probe_seconds', 'Time a probe took.', ['manager'], LATENCY_BUCKETS);
  const stored = counter('cache_stored_total', 'Answers remembered.', ['method']);
  const discarded = counter('cache_discarded_total', 'Answers not remembered.', ['method', 'reason']);
  const held = counter('guard_held_total', 'Poorer answers that began to be held back.', [
    'method',
    'reason',
  ]);
  const guardReleased = counter('guard_released_total', 'Poorer answers that took over after their hold.', [
    'method',
    'reason',
  ]);
  const { heldBack, paceChanges, paceLowered, warmed } = warmupSeries(counter);
  const reloads = counter('config_reloads_total', 'Reloads of the configuration, by result.', ['result']);
  const registrations = counter(
    'registrations_total',
    'Registrations written down while the managers were away, and what became of them.',
    ['outcome'],
  );
  const worlds = counter('another_manager_total', 'What became of managers that looked like another one.', [
    'what',
  ]);
  const snapshots = counter('snapshots_total', 'Snapshots, by result.', ['result']);
  const restored = counter(
    'snapshot_restored_entries_total',
    'Answers taken from the snapshot at the start.',
    [],
  );
  const damaged = counter(
    'snapshot_damaged_bytes_total',
    'Bytes of the snapshot that could not be used.',
    [],
  );
  const internalErrors = counter('internal_errors_total', 'Errors of the gateway itself.', []);
  const redis = createRedisMetrics(registry);
  const aboutNodes = createNodeMetrics(registry, sources.nodes);
  const claims = createClaimMetrics(registry, sources.claims);
  initialSeries(
    {
      opened,
      closed,
      refused,
      badInput,
      answered,
      discarded,
      held,
      guardReleased,
      reloads,
      internalErrors,
      duration,
      bySource,
    },
    readMethods,
  );

  return (event) => {
    switch (event.kind) {
      case 'connection-opened':
        return opened.inc();
      case 'connection-closed':
        return closed.inc({ reason: event.reason });
      case 'connection-refused':
        return refused.inc({ reason: event.reason });
      case 'bad-input':
        return badInput.inc({ reason: event.reason });
      case 'call-answered':
        duration.observe({ answer: event.answer }, event.durationMs / 1000);
        return answered.inc({ method: event.method, answer: event.answer, code: codeName(event.code) });
      case 'answer-aged':
        bySource.inc({ source: event.source });
        return age.observe({ method: event.method }, event.ageMs / 1000);
      case 'would-have-answered':
        return wouldAnswer.inc({ method: event.method, answer: event.answer });
      case 'call-coalesced':
        return coalesced.inc({ method: event.method });
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
        return channelsCreated.inc({ manager: event.manager, reason: event.reason });
      case 'channel-closed':
        return channelsClosed.inc({ manager: event.manager, reason: event.reason });
      case 'probe-finished':
        probeLatency.observe({ manager: event.manager }, event.latencyMs / 1000);
        return probes.inc({ manager: event.manager, outcome: event.state });
      case 'cache-stored':
        return stored.inc({ method: event.method });
      case 'cache-discarded':
        return discarded.inc({ method: event.method, reason: event.reason });
      case 'guard-held':
        return held.inc({ method: event.method, reason: event.reason });
      case 'guard-released':
        return guardReleased.inc({ method: event.method, reason: event.reason });
      case 'read-held-back':
        return heldBack.inc({ method: event.method });
      case 'pace-changed':
        return paceChanges.inc({ to: event.to });
      case 'pace-lowered':
        return paceLowered.inc();
      case 'warmup-finished':
        warmed.inc({ result: 'refreshed' }, event.refreshed);
        return warmed.inc({ result: 'failed' }, event.failed);
      case 'config-reloaded':
        return reloads.inc({ result: 'applied' });
      case 'config-refused':
        return reloads.inc({ result: 'refused' });
      case 'internal-error':
        return internalErrors.inc();
      case 'redis-connected':
      case 'redis-failed':
      case 'redis-looked-up':
      case 'redis-answer-rejected':
      case 'redis-store-ended':
      case 'redis-question-rejected':
      case 'redis-breaker-changed':
        return redis(event);
      case 'claim-taken':
      case 'claim-given':
      case 'claim-reasserted':
      case 'claims-unshared':
      case 'claims-shared':
      case 'nodes-recovered':
        return claims(event);
      case 'snapshot-written':
        return snapshots.inc({ result: 'written' });
      case 'snapshot-failed':
        return snapshots.inc({ result: 'failed' });
      case 'snapshot-loaded':
        restored.inc(event.entries);
        return damaged.inc(event.damagedBytes);
      case 'registration-journaled':
        return registrations.inc({ outcome: 'journaled' });
      case 'registration-replayed':
        return registrations.inc({ outcome: event.outcome });
      case 'journal-failed':
        return registrations.inc({ outcome: 'not-written' });
      case 'world-frozen':
        return worlds.inc({ what: 'frozen' });
      case 'world-known-again':
        return worlds.inc({ what: 'known-again' });
      case 'world-accepted':
        return worlds.inc({ what: 'accepted' });
      case 'node-opened':
      case 'node-reopened':
      case 'node-ended':
      case 'node-unshielded':
      case 'openings-lowered':
      case 'node-looked-at':
      case 'node-disputed':
      case 'node-settled':
      case 'node-registered-again':
        return aboutNodes(event);
      case 'sharing-changed':
      case 'world-cleared':
      case 'journal-loaded':
      case 'directory-unusable':
      case 'directory-taken':
      case 'warmup-started':
      case 'address-state-changed':
      case 'resolve-failed':
      case 'started':
      case 'serving-changed':
      case 'mode-changed':
      case 'maintenance-begun':
      case 'maintenance-ended':
      case 'operator-acted':
      case 'operator-refused':
      case 'draining':
      case 'stopped':
        return undefined;
      default:
        return event satisfies never;
    }
  };
}
