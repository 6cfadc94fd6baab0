import type { GatewayEvent } from '../../src/observe/events.js';
import type { MetricSources } from '../../src/observe/gauges.js';
import { createLog } from '../../src/observe/log.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { READ_METHODS } from '../../src/route/method-table.js';
import { ManualClock } from './manual-clock.js';

const PREFIX = 'dragonfly_manager_gateway_';

/** The lines of the log, parsed, that these events leave if all of them come at once. */
export function linesOf(events: readonly GatewayEvent[]): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    level: 'info',
    clock: new ManualClock(),
    destination: { write: (line) => lines.push(JSON.parse(line)) },
  });
  for (const event of events) log.subscriber(event);
  return lines;
}

/** Of a gateway of which there is nothing to tell. */
export const METRIC_SOURCES: MetricSources = {
  version: '0',
  fleet: '',
  maxStaleMs: () => 259_200_000,
  readMethods: READ_METHODS,
  managerLabels: ['0'],
  mode: () => 'answer',
  maintained: () => false,
  connections: () => 0,
  serving: () => true,
  redisLost: () => false,
  directoryMissing: () => false,
  cacheBytes: () => 0,
  cacheEntries: () => 0,
  flights: () => 0,
  held: () => 0,
  pendingRegistrations: () => 0,
  frozen: () => false,
  certificates: () => ({ server: undefined, manager: undefined, redis: undefined }),
  nodes: () => [],
  claims: () => ({ held: 0, unshared: 0, moving: 0, elsewhere: 0 }),
  breakers: () => new Map(),
  managers: () => [{ manager: '0', channels: 2, readyChannels: 0, inFlight: 0, healthy: false }],
};

/** The samples of one metric after these events, by their labels as they are written. */
export async function samplesOf(
  events: readonly GatewayEvent[],
  name: string,
): Promise<Record<string, number>> {
  return samplesIn(await metricsAfter(events), name);
}

/** What Prometheus would read of a gateway to which nothing has happened but these. */
export async function metricsAfter(events: readonly GatewayEvent[]): Promise<string> {
  const { subscriber, render } = createMetrics(METRIC_SOURCES);
  for (const event of events) subscriber(event);
  return (await render()).text;
}

export function samplesIn(text: string, name: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith(PREFIX + name));
  const samples = lines.map((line) => /^(.*?)({.*})? ([^ ]+)$/.exec(line) ?? []);
  return Object.fromEntries(samples.map(([, , labels = '', value]) => [labels, Number(value)]));
}

/** How often each fault of Redis was counted, by its reason; throws unless the log tells each exactly once. */
export async function faultsToldOnce(
  events: readonly GatewayEvent[],
  kind: 'redis-failed' | 'redis-answer-rejected',
): Promise<Record<string, number>> {
  const lines = linesOf(events).filter(({ event }) => event === kind);
  const metric = kind === 'redis-failed' ? 'redis_errors_total' : 'redis_rejected_total';
  const counted: Record<string, number> = {};
  for (const [labels, count] of Object.entries(await samplesOf(events, metric))) {
    const reason = /reason="([^"]*)"/.exec(labels)?.[1] ?? '';
    if (count > 0) counted[reason] = (counted[reason] ?? 0) + count;
  }
  const told = lines.map(({ reason }) => String(reason));
  if (told.toSorted().join() !== Object.keys(counted).toSorted().join())
    throw new Error(`counted ${JSON.stringify(counted)}, told ${told.join(', ')}`);
  return counted;
}
