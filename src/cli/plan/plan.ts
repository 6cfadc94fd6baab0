import type { Config } from '../../config/config.js';
import { type Fleet, nodesOf, type Settings } from './fleet.js';
import { type Load, loadWith, loadWithout } from './load.js';
import { type Costs, MEASURED_UP_TO_CONNECTIONS } from './measured-costs.js';
import { type Size, sizeOf } from './size.js';

export type Plan = {
  readonly fleet: Fleet;
  readonly size: Size;
  readonly without: Load;
  readonly with: Load;
  /** What does not fit, or is beyond what was measured. */
  readonly warnings: readonly string[];
};

/** Requests and stream opens that a v2.5 manager takes in a second; v2.1.55 takes 20,000. */
const MANAGER_RATE_LIMIT = 4_000;
const MIB = 2 ** 20;

export function planFor(
  fleet: Fleet,
  settings: Settings,
  costs: Costs,
  wanted: { readonly spare: number },
): Plan {
  const size = sizeOf(fleet, settings, costs, wanted);
  const without = loadWithout(fleet);
  const gatewayed = loadWith(fleet, settings, size.replicas);
  return {
    fleet,
    size,
    without,
    with: gatewayed,
    warnings: warningsOf(fleet, settings, size, without, gatewayed),
  };
}

export function settingsOf({ server, managers, keepAlive, cache, breaker }: Config): Settings {
  const { ListSchedulers, ListApplications, GetScheduler } = cache.methods;
  return {
    maxConnections: server.maxConnections,
    channelsPerAddr: managers.channelsPerAddr,
    probeIntervalMs: managers.probe.intervalMs,
    breakerResetMs: breaker.resetTimeoutMs,
    reconcileMs: keepAlive.reconcileMs,
    cacheMaxBytes: cache.maxBytes,
    listTtlMs: ListSchedulers.ttlMs,
    ownListTtlMs: ListSchedulers.exactTtlMs,
    applicationsTtlMs: ListApplications.ttlMs,
    schedulerTtlMs: GetScheduler.ttlMs,
  };
}

function warningsOf(
  fleet: Fleet,
  settings: Settings,
  size: Size,
  without: Load,
  gatewayed: Load,
): readonly string[] {
  const { each, replicas } = size;
  const limit = MANAGER_RATE_LIMIT * fleet.managers;
  const count = (value: number): string => Math.ceil(value).toLocaleString('en-US');
  const all: [boolean, string][] = [
    [
      replicas > 1,
      `${replicas} replicas need Redis (redis.addrs, fleet.id): without it each asks for itself, and nodes that move are inactive for a while`,
    ],
    [
      replicas === 1 && nodesOf(fleet) > 0,
      'one gateway alone: in a rollout nodes are inactive until they are at the next one, 5 to 10 s',
    ],
    [
      each.answerBytes > settings.cacheMaxBytes,
      `cache.maxBytes: found ${count(settings.cacheMaxBytes / MIB)} MiB, and the answers need ${count(each.answerBytes / MIB)} MiB: the longest unused would be forgotten`,
    ],
    [
      without.callsAtStart > limit,
      `without the gateway ${count(without.callsAtStart)} calls a second at a start are over the ${count(limit)} that v2.5 managers take`,
    ],
    [
      gatewayed.callsAtStart > limit,
      `with the gateway ${count(gatewayed.callsAtStart)} calls a second at a start are over the ${count(limit)} that v2.5 managers take: let everybody start more slowly`,
    ],
    [
      fleet.dfgetDaemons > 0 && settings.ownListTtlMs < 600_000,
      'dfget daemons ask every 10 minutes, and their lists are not fresh for so long: the gateway spares the manager their connections and their retries, not these calls',
    ],
    [
      each.connections > MEASURED_UP_TO_CONNECTIONS,
      `${count(each.connections)} connections at one gateway are drawn on from ${count(MEASURED_UP_TO_CONNECTIONS)}, which were measured`,
    ],
  ];
  return all.filter(([holds]) => holds).map(([, text]) => text);
}
