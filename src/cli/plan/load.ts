import { connectionsOf, type Fleet, nodesOf, type Settings } from './fleet.js';

/** What the managers have to bear, all of them together; rates are per second. */
export type Load = {
  readonly connections: number;
  readonly calls: number;
  /** While everybody starts. */
  readonly callsAtStart: number;
  /** Tried, while the managers fail. */
  readonly callsWhileFailing: number;
  readonly streams: number;
  readonly beats: number;
};

/** What callers do by themselves, seconds (measured; docs/tuning.md). */
const DFGET_POLL_S = 600;
const DFGET_FAILING_FACTOR = 180;
const SCHEDULER_POLL_S = 60;
const BEAT_S = 5;
/** Calls at the start: Health/Check and 3 × ListSchedulers; Health/Check and ListSchedulers; UpdateScheduler, GetScheduler and ListApplications; Health/Check, UpdateSeedPeer and two lists. */
const STARTING = { daemon: 4, dfget: 2, scheduler: 3, seedPeer: 4 } as const;

/** Everybody calls the managers. */
export function loadWithout(fleet: Fleet): Load {
  const { daemons, dfgetDaemons, schedulers, seedPeers } = fleet;
  const daemonCalls = daemons / seconds(fleet.pollMs);
  const dfgetCalls = (dfgetDaemons + 2 * seedPeers) / DFGET_POLL_S;
  const schedulerCalls = (2 * schedulers) / SCHEDULER_POLL_S;
  const starting =
    daemons * STARTING.daemon +
    dfgetDaemons * STARTING.dfget +
    schedulers * STARTING.scheduler +
    seedPeers * STARTING.seedPeer;
  return {
    connections: connectionsOf(fleet),
    calls: daemonCalls + dfgetCalls + schedulerCalls,
    callsAtStart: starting / seconds(fleet.startWithinMs),
    callsWhileFailing: daemonCalls + dfgetCalls * DFGET_FAILING_FACTOR + schedulerCalls,
    streams: nodesOf(fleet),
    beats: nodesOf(fleet) / BEAT_S,
  };
}

/** `replicas` gateways call the managers, and share what they know. */
export function loadWith(fleet: Fleet, settings: Settings, replicas: number): Load {
  const { schedulers, seedPeers, dfgetDaemons, managers } = fleet;
  const nodes = nodesOf(fleet);
  const probes = (replicas * managers) / seconds(settings.probeIntervalMs);
  const looks = nodes / seconds(settings.reconcileMs);
  const applications = askedFor(1, schedulers / SCHEDULER_POLL_S, settings.applicationsTtlMs);
  const rows = askedFor(schedulers, schedulers / SCHEDULER_POLL_S, settings.schedulerTtlMs);
  // A dfget asks every 10 minutes, and its list is its own: a TTL of two minutes is over by then.
  const old = askedFor(dfgetDaemons, dfgetDaemons / DFGET_POLL_S, settings.ownListTtlMs);
  const seeds = (2 * seedPeers) / DFGET_POLL_S;
  const common = probes + looks;
  return {
    connections: replicas * managers * settings.channelsPerAddr,
    calls: common + applications + rows + old + seeds + listsAsked(fleet, settings),
    callsAtStart: common + startsSeen(fleet, settings),
    // Reads have their last good answers: what is left are probes, and the one call that each breaker lets through.
    callsWhileFailing: probes + (replicas * methodsAsked(fleet)) / seconds(settings.breakerResetMs),
    streams: nodes,
    beats: nodes / BEAT_S,
  };
}

/** Reads with a breaker of their own. */
function methodsAsked({ daemons, dfgetDaemons, schedulers, seedPeers }: Fleet): number {
  const lists = daemons + dfgetDaemons + seedPeers > 0 ? 1 : 0;
  return lists + (schedulers > 0 ? 2 : 0) + (seedPeers > 0 ? 1 : 0);
}

/** Each question is asked at most once in its TTL, and never more often than callers ask it. */
function askedFor(questions: number, callsPerSecond: number, ttlMs: number): number {
  return ttlMs === 0 ? callsPerSecond : Math.min(callsPerSecond, questions / seconds(ttlMs));
}

function listsAsked(fleet: Fleet, settings: Settings): number {
  const calls = fleet.daemons / seconds(fleet.pollMs);
  return fleet.lists === 'own'
    ? askedFor(fleet.daemons, calls, settings.ownListTtlMs)
    : askedFor(Math.min(fleet.places, fleet.daemons), calls, settings.listTtlMs);
}

/** Health is the gateway's own; the three lists of a daemon are one asking, where it has to be asked at all. */
function startsSeen(fleet: Fleet, settings: Settings): number {
  const { daemons, dfgetDaemons, schedulers, seedPeers, startWithinMs } = fleet;
  const within = seconds(startWithinMs);
  const lists =
    fleet.lists === 'own'
      ? daemons / within
      : askedFor(Math.min(fleet.places, daemons), (3 * daemons) / within, settings.listTtlMs);
  const applications = askedFor(1, schedulers / within, settings.applicationsTtlMs);
  return lists + (dfgetDaemons + 2 * schedulers + 3 * seedPeers) / within + applications;
}

function seconds(ms: number): number {
  return ms / 1_000;
}
