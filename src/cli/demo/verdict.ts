import type { SideFigures } from './figures.js';

export interface Condition {
  /** What has to hold, in words, with the figure that was found. */
  readonly text: string;
  readonly found: string;
  readonly holds: boolean;
}

export interface Limits {
  /** `channelsPerAddr` times the number of addresses. */
  readonly connections: number;
  readonly timeFactor: number;
}

/** The manager behind the gateway hears at most this share of the calls that the other one hears. */
const CALLS_SHARE = 0.4;
/** And its nodes are inactive for at most this share of the time. */
const INACTIVE_SHARE = 0.1;
/** Of simulated time: two answers after the response timer, and a busy machine that runs ten times as fast. */
const CONFIGURATION_GAP_MS = 10_000;

/** Whether the gateway's column holds, condition by condition. */
export function judge(direct: SideFigures, gateway: SideFigures, limits: Limits): readonly Condition[] {
  return [
    incidentWasReal(direct),
    everyKnownCallAnswered(gateway),
    noExit(gateway),
    strangersAnswered(gateway),
    schedulersConfigured(gateway, limits.timeFactor),
    nodesActive(direct, gateway),
    fewConnections(gateway, limits.connections),
    fewCalls(direct, gateway),
  ];
}

/** Otherwise the comparison would show nothing. */
function incidentWasReal({ fleet }: SideFigures): Condition {
  const { failed, empty } = fleet.calls.known;
  return {
    text: 'without the gateway the incident hurts: calls of known callers fail',
    found: `${failed + empty} without an answer of use`,
    holds: failed + empty > 0,
  };
}

function everyKnownCallAnswered({ fleet }: SideFigures): Condition {
  const { answered, failed, empty } = fleet.calls.known;
  const codes = Object.entries(fleet.failuresByCode).map(([code, count]) => `${count} ${code}`);
  const why = failed > 0 ? ` (cold ones included: ${codes.join(', ')})` : '';
  return {
    text: 'every call of a known caller is answered, and no list of schedulers is empty',
    found: `${answered} answered, ${failed} failed${why}, ${empty} empty`,
    holds: answered > 0 && failed === 0 && empty === 0,
  };
}

function noExit({ fleet }: SideFigures): Condition {
  const exits = fleet.daemonExits.known + fleet.daemonExits.cold + fleet.schedulerExits;
  return {
    text: 'no daemon or scheduler exits, those never seen before included',
    found: `${exits} exits`,
    holds: exits === 0,
  };
}

function strangersAnswered({ fleet }: SideFigures): Condition {
  const { answered, failed, empty } = fleet.calls.cold;
  return {
    text: 'every call of a node that joins during the outage is answered',
    found: `${answered} answered, ${failed} failed, ${empty} empty`,
    holds: answered > 0 && failed === 0 && empty === 0,
  };
}

function schedulersConfigured({ fleet }: SideFigures, timeFactor: number): Condition {
  const longestMs = fleet.longestWithoutConfigurationMs * timeFactor;
  return {
    text: `no scheduler is without configuration for longer than ${CONFIGURATION_GAP_MS / 1000} s`,
    found: `${(longestMs / 1000).toFixed(1)} s at most`,
    holds: longestMs <= CONFIGURATION_GAP_MS,
  };
}

/** Without streams that break, and a fleet that has come up, there would be nothing to compare. */
function nodesActive(direct: SideFigures, gateway: SideFigures): Condition {
  const share = gateway.manager.inactiveMs / Math.max(1, direct.manager.inactiveMs);
  const { streamsBroken } = gateway.fleet;
  return {
    text: `no scheduler or seed peer sees its KeepAlive stream break, and they are inactive for at most ${INACTIVE_SHARE * 100} % of the time that they are without the gateway`,
    found: `${streamsBroken} broken, ${(share * 100).toFixed(1)} %`,
    holds: streamsBroken === 0 && gateway.manager.nodes > 0 && share <= INACTIVE_SHARE,
  };
}

function fewConnections({ manager }: SideFigures, allowed: number): Condition {
  return {
    text: `at most channelsPerAddr × addrs = ${allowed} connections at the manager at a time, those that it is ending aside`,
    found: `${manager.connectionsPeak} at peak`,
    holds: manager.connectionsPeak > 0 && manager.connectionsPeak <= allowed,
  };
}

function fewCalls(direct: SideFigures, gateway: SideFigures): Condition {
  const share = gateway.manager.calls / Math.max(1, direct.manager.calls);
  return {
    text: `the manager gets at most ${CALLS_SHARE * 100} % of the calls it gets without the gateway`,
    found: `${gateway.manager.calls} of ${direct.manager.calls}: ${(share * 100).toFixed(0)} %`,
    holds: gateway.manager.calls > 0 && share <= CALLS_SHARE,
  };
}
