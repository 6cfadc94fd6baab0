import { connectionsOf, type Fleet, nodesOf, type Settings } from './fleet.js';
import { loadWith, loadWithout } from './load.js';
import type { Costs } from './measured-costs.js';

/** How many gateways, and what each has to bear while `spare` of them are away. */
export type Size = {
  readonly replicas: number;
  /** What decided: as many as connections need, as CPU needs, and those that may be away. */
  readonly forConnections: number;
  readonly forCpu: number;
  readonly spare: number;
  readonly each: {
    readonly connections: number;
    readonly nodes: number;
    readonly answers: number;
    /** Of `cache.maxBytes`, what the answers need. */
    readonly answerBytes: number;
    readonly memoryBytes: number;
    /** With room for what is garbage and not yet collected. */
    readonly memoryLimitBytes: number;
    /** Cores. */
    readonly cpu: number;
    readonly cpuAtStart: number;
  };
};

/** Of `server.maxConnections`: the rest is for those who start, and open two. */
const CONNECTION_SHARE = 0.8;
/** Of the one core that a process of Node uses: the rest is for bursts and the collector. */
const CPU_SHARE = 0.5;
/** Resident memory was seen a third above its lowest between two collections. */
const MEMORY_FACTOR = 1.5;
const MEMORY_STEP_BYTES = 64 * 2 ** 20;
const MICROSECONDS = 1e6;

export function sizeOf(
  fleet: Fleet,
  settings: Settings,
  costs: Costs,
  wanted: { readonly spare: number },
): Size {
  const { spare } = wanted;
  const forConnections = Math.ceil(connectionsOf(fleet) / (settings.maxConnections * CONNECTION_SHARE));
  const busiest = Math.max(coresAtStart(fleet, settings, costs), cores(fleet, settings, costs));
  const forCpu = Math.ceil(busiest / CPU_SHARE);
  const serving = Math.max(1, forConnections, forCpu);
  return {
    replicas: serving + spare,
    forConnections,
    forCpu,
    spare,
    each: each(fleet, settings, costs, serving),
  };
}

function each(fleet: Fleet, settings: Settings, costs: Costs, serving: number): Size['each'] {
  const connections = Math.ceil(connectionsOf(fleet) / serving);
  const nodes = Math.ceil(nodesOf(fleet) / serving);
  const answers = answersOf(fleet, serving);
  const answerBytes = Math.ceil(answers * entryBytes(fleet, costs));
  const memoryBytes = Math.ceil(
    costs.process.value +
      (connections - nodes) * costs.connection.value +
      nodes * costs.node.value +
      Math.min(answerBytes, settings.cacheMaxBytes),
  );
  return {
    connections,
    nodes,
    answers,
    answerBytes,
    memoryBytes,
    memoryLimitBytes: Math.ceil((memoryBytes * MEMORY_FACTOR) / MEMORY_STEP_BYTES) * MEMORY_STEP_BYTES,
    cpu: cores(fleet, settings, costs) / serving,
    cpuAtStart: coresAtStart(fleet, settings, costs) / serving,
  };
}

function entryBytes({ schedulers }: Fleet, costs: Costs): number {
  return costs.answer.value + schedulers * costs.listedScheduler.value;
}

/** Lists that are each caller's own are with the replica that it calls; what is common is with each. */
function answersOf(fleet: Fleet, serving: number): number {
  const { daemons, dfgetDaemons, schedulers, seedPeers, places, lists } = fleet;
  const own = dfgetDaemons + 2 * seedPeers + (lists === 'own' ? daemons : 0);
  return Math.ceil(own / serving) + (lists === 'own' ? 0 : Math.min(places, daemons)) + schedulers + 1;
}

function cores(fleet: Fleet, settings: Settings, costs: Costs): number {
  const { calls, beats } = loadWithout(fleet);
  return cpuOf({ calls, asked: loadWith(fleet, settings, 0).calls, beats }, costs);
}

function coresAtStart(fleet: Fleet, settings: Settings, costs: Costs): number {
  const { callsAtStart: calls, beats } = loadWithout(fleet);
  const opened = connectionsOf(fleet) / (fleet.startWithinMs / 1_000);
  const opening = (opened * costs.start.value) / MICROSECONDS;
  return opening + cpuOf({ calls, asked: loadWith(fleet, settings, 0).callsAtStart, beats }, costs);
}

type Rates = { readonly calls: number; readonly asked: number; readonly beats: number };

function cpuOf({ calls, asked, beats }: Rates, costs: Costs): number {
  return (calls * costs.hit.value + asked * costs.miss.value + beats * costs.beat.value) / MICROSECONDS;
}
