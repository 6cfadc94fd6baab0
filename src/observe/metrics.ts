import { collectDefaultMetrics, Registry } from 'prom-client';
import { createCallerMetrics } from './caller-metrics.js';
import { createClaimMetrics } from './claim-metrics.js';
import type { GatewayEvent } from './events.js';
import { type MetricSources, registerGauges } from './gauges.js';
import { createManagerMetrics } from './manager-metrics.js';
import { createMemoryMetrics } from './memory-metrics.js';
import { METRIC_PREFIX } from './metric-prefix.js';
import { createNodeMetrics } from './node-metrics.js';
import { createProcessMetrics } from './process-metrics.js';
import { createRedisMetrics } from './redis-metrics.js';
import { seriesMaker } from './series.js';
import { createTlsMetrics } from './tls-metrics.js';

export interface Metrics {
  readonly subscriber: (event: GatewayEvent) => void;
  /** The text that Prometheus reads, and its content type. */
  render(): Promise<{ text: string; contentType: string }>;
}

/** Of prom-client's own: gauges that are named like counters, which `promtool check metrics` objects to. */
const MISNAMED = ['active_handles_total', 'active_requests_total', 'active_resources_total'];

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  // One Prometheus sees many fleets, and its own labels tell namespaces from each other, not these.
  if (sources.fleet !== '') registry.setDefaultLabels({ fleet: sources.fleet });
  collectDefaultMetrics({ register: registry, prefix: METRIC_PREFIX });
  for (const name of MISNAMED) registry.removeSingleMetric(`${METRIC_PREFIX}nodejs_${name}`);
  registerGauges(registry, sources);
  return {
    subscriber: createSubscriber(registry, sources),
    render: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}

/** The one place that says which part of the metrics an event moves. */
function createSubscriber(registry: Registry, sources: MetricSources): Metrics['subscriber'] {
  const make = seriesMaker(registry);
  const callers = createCallerMetrics(make, sources);
  const managers = createManagerMetrics(make, {
    readMethods: sources.readMethods,
    managers: sources.managerLabels,
  });
  const memory = createMemoryMetrics(make, sources.readMethods);
  const process = createProcessMetrics(make);
  const redis = createRedisMetrics(registry);
  const nodes = createNodeMetrics(registry, sources.nodes);
  const claims = createClaimMetrics(registry, sources.claims);
  const tls = createTlsMetrics(make);

  return (event) => {
    tls(event);
    switch (event.kind) {
      case 'connection-opened':
      case 'connection-delayed':
      case 'connection-closed':
      case 'connection-refused':
      case 'limit-reached':
      case 'client-allowed':
      case 'client-forbidden':
      case 'bad-input':
      case 'call-answered':
      case 'answer-aged':
      case 'would-have-answered':
      case 'call-coalesced':
        return callers(event);
      case 'manager-answered':
      case 'retry-scheduled':
      case 'retry-refused':
      case 'breaker-changed':
      case 'breaker-refused':
      case 'manager-overloaded':
      case 'channel-created':
      case 'channel-closed':
      case 'probe-finished':
        return managers(event);
      case 'cache-stored':
      case 'cache-discarded':
      case 'guard-held':
      case 'guard-released':
      case 'read-held-back':
      case 'pace-changed':
      case 'pace-lowered':
      case 'warmup-finished':
      case 'snapshot-written':
      case 'snapshot-failed':
      case 'snapshot-loaded':
        return memory(event);
      case 'config-reloaded':
      case 'config-refused':
      case 'operator-acted':
      case 'operator-refused':
      case 'internal-error':
      case 'registration-journaled':
      case 'registration-replayed':
      case 'journal-failed':
      case 'world-frozen':
      case 'world-known-again':
      case 'world-accepted':
        return process(event);
      case 'redis-connected':
      case 'redis-failed':
      case 'redis-looked-up':
      case 'redis-answer-rejected':
      case 'redis-store-ended':
      case 'redis-question-rejected':
      case 'redis-registration-rejected':
      case 'redis-breaker-changed':
        return redis(event);
      case 'claim-taken':
      case 'claim-given':
      case 'claim-reasserted':
      case 'claims-unshared':
      case 'claims-shared':
      case 'nodes-recovered':
        return claims(event);
      case 'node-opened':
      case 'node-reopened':
      case 'node-ended':
      case 'node-unshielded':
      case 'openings-lowered':
      case 'node-looked-at':
      case 'node-disputed':
      case 'node-settled':
      case 'node-registered-again':
        return nodes(event);
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
      case 'certificate-expiring':
      case 'draining':
      case 'stopped':
        // In the log; what of it is a state is a gauge.
        return undefined;
      default:
        return event satisfies never;
    }
  };
}
