import { type Clock, systemClock } from '../../rpc/clock.js';
import { Counters, type Tally } from './counters.js';
import { goDaemon } from './go-daemon.js';
import { type Cohort, createIdentity, type MemberKind } from './identity.js';
import { LackMeter } from './lack-meter.js';
import { Life } from './life.js';
import { createPace, type Pace } from './pace.js';
import { Pod, type PodState } from './pod.js';
import type { Program } from './program.js';
import { type Random, seededRandom } from './random.js';
import { rustDaemon } from './rust-daemon.js';
import { scheduler } from './scheduler.js';
import { seedPeer } from './seed-peer.js';

const PROGRAMS: Record<MemberKind, Program> = {
  'rust-daemon': rustDaemon,
  'go-daemon': goDaemon,
  scheduler,
  'seed-peer': seedPeer,
};

export interface FleetOptions {
  /** `host:port`, on loopback: the only address anybody here connects to. */
  readonly managerAddress: string;
  /** Rust daemons. */
  readonly daemons: number;
  readonly goDaemons: number;
  readonly schedulers: number;
  readonly seedPeers: number;
  /** 1 is real time; 10: intervals, deadlines and backoffs are a tenth. */
  readonly timeFactor: number;
  /** The same seed makes the same fleet. Default 1. */
  readonly seed?: number;
  readonly clock?: Clock;
  /** Over how long the daemons come up at the beginning, ms of simulated time. Default 30 s. */
  readonly spreadMs?: number;
  /** How long schedulers have before everybody else begins, ms of simulated time. Default 20 s: a few beats. */
  readonly headStartMs?: number;
  /** Cluster of every scheduler and seed peer. Default 1. */
  readonly clusterId?: number;
  /** The number of its first member, where another fleet has those from 0 on. */
  readonly numbersFrom?: number;
}

/** Lengths of time in ms of the clock: multiply by the time factor for simulated time. */
export interface FleetStats {
  readonly calls: Readonly<Record<Cohort, Readonly<Tally>>>;
  readonly callsByMethod: Readonly<Record<string, Tally>>;
  readonly failuresByCode: Readonly<Record<string, number>>;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  /** Of daemons and seed peers: starts that failed. */
  readonly daemonExits: Readonly<Record<Cohort, number>>;
  readonly schedulerExits: number;
  readonly daemons: Readonly<Record<PodState, number>>;
  /** Daemons that run, or wait to be restarted, and know no scheduler. */
  readonly daemonsWithoutSchedulers: number;
  /** Longest time at a stretch that a daemon of the cohort knew no scheduler. */
  readonly longestWithoutSchedulersMs: Readonly<Record<Cohort, number>>;
  /** Of all schedulers together, and the longest of one. */
  readonly withoutConfigurationMs: number;
  readonly longestWithoutConfigurationMs: number;
  readonly schedulersConfigured: number;
  readonly streamsOpened: number;
  readonly streamsBroken: number;
  readonly channelsOpened: number;
}

export interface Fleet {
  stats(): FleetStats;
  /** Forgets what was counted so far; what lasts is counted from now. */
  resetStats(): void;
  /**
   * A rollout: the next `count` of the Rust daemons are stopped and started again under their names, one by one.
   * Resolves when the last has been started, or the fleet is stopped.
   */
  rollOut(count: number): Promise<void>;
  /** `count` Rust daemons on nodes nobody has seen before. */
  join(count: number, how?: JoinOptions): void;
  stop(): Promise<void>;
}

export interface JoinOptions {
  /** They start evenly over so long, ms of simulated time. Default: all at once. */
  readonly overMs?: number;
  /** Each in a place that is nobody else's. */
  readonly ownPlaces?: boolean;
}

/** Starts callers as a cluster has them; they run until `stop`. */
export function startFleet(options: FleetOptions): Fleet {
  const fleet = new SimulatedFleet(options);
  fleet.start();
  return fleet;
}

/** Between the restarts of a rollout, ms of simulated time. */
const ROLLOUT_STEP_MS = 1_000;

class SimulatedFleet implements Fleet {
  readonly #options: FleetOptions;
  readonly #pace: Pace;
  readonly #random: Random;
  #counters = new Counters();
  readonly #pods: Pod[] = [];
  readonly #life: Life;
  #rolledOut = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#pace = createPace(options.clock ?? systemClock, options.timeFactor);
    this.#random = seededRandom(options.seed ?? 1);
    this.#life = new Life(this.#pace.clock);
  }

  start(): void {
    const { daemons, goDaemons, schedulers, seedPeers, spreadMs = 30_000 } = this.#options;
    const headStartMs = this.#options.headStartMs ?? 20_000;
    for (let nth = 0; nth < schedulers; nth++) this.#add('scheduler', 'known').start('long-running');
    const kinds: MemberKind[] = [
      ...Array<MemberKind>(seedPeers).fill('seed-peer'),
      ...Array<MemberKind>(daemons).fill('rust-daemon'),
      ...Array<MemberKind>(goDaemons).fill('go-daemon'),
    ];
    for (const kind of kinds) {
      const delayMs = headStartMs + this.#random() * spreadMs;
      this.#add(kind, 'known').start('long-running', this.#pace.scaled(delayMs));
    }
  }

  async rollOut(count: number): Promise<void> {
    const chosen = this.#ofKind('rust-daemon').filter(({ around }) => around.who.cohort === 'known');
    const from = this.#rolledOut;
    this.#rolledOut += count;
    for (const pod of chosen.slice(from, from + count)) {
      if (this.#life.ended) return;
      await pod.replace();
      await this.#life.sleep(this.#pace.scaled(ROLLOUT_STEP_MS));
    }
  }

  join(count: number, { overMs = 0, ownPlaces = false }: JoinOptions = {}): void {
    for (let nth = 0; nth < count; nth++) {
      const delayMs = this.#pace.scaled((overMs * nth) / count);
      this.#add('rust-daemon', 'cold', ownPlaces).start('fresh', delayMs);
    }
  }

  async stop(): Promise<void> {
    this.#life.end();
    await Promise.all(this.#pods.map((pod) => pod.stop()));
  }

  resetStats(): void {
    this.#counters = new Counters();
    for (const { around } of this.#pods) around.lack.reset();
  }

  stats(): FleetStats {
    const counters = this.#counters;
    const daemons = this.#pods.filter(({ around }) => around.who.kind !== 'scheduler');
    const configurations = this.#ofKind('scheduler').map(({ around }) => around.lack);
    return {
      calls: { known: { ...counters.tallies.known }, cold: { ...counters.tallies.cold } },
      callsByMethod: counters.byMethod,
      failuresByCode: counters.failuresByCode,
      latencyP50Ms: counters.latency.quantileMs(0.5),
      latencyP99Ms: counters.latency.quantileMs(0.99),
      daemonExits: daemonExits(counters),
      schedulerExits: counters.exits.scheduler.known,
      daemons: countStates(daemons),
      daemonsWithoutSchedulers: daemons.filter(({ around }) => around.lack.lacking).length,
      longestWithoutSchedulersMs: {
        known: longestMs(daemons.filter(ofCohort('known')).map(({ around }) => around.lack)),
        cold: longestMs(daemons.filter(ofCohort('cold')).map(({ around }) => around.lack)),
      },
      withoutConfigurationMs: configurations.reduce((sum, { totalMs }) => sum + totalMs, 0),
      longestWithoutConfigurationMs: longestMs(configurations),
      schedulersConfigured: configurations.filter(({ lacking }) => !lacking).length,
      streamsOpened: counters.streams.opened,
      streamsBroken: counters.streams.broken,
      channelsOpened: counters.channels,
    };
  }

  #add(kind: MemberKind, cohort: Cohort, ownPlace = false): Pod {
    const random = seededRandom(Math.floor(this.#random() * 2 ** 32));
    const clusterId = this.#options.clusterId ?? 1;
    const who = createIdentity(kind, (this.#options.numbersFrom ?? 0) + this.#pods.length, {
      cohort,
      random,
      clusterId,
      ownPlace,
    });
    const pod = new Pod(PROGRAMS[kind], {
      managerAddress: this.#options.managerAddress,
      who,
      pace: this.#pace,
      counters: () => this.#counters,
      lack: new LackMeter(this.#pace.clock),
      random,
    });
    this.#pods.push(pod);
    return pod;
  }

  #ofKind(kind: MemberKind): Pod[] {
    return this.#pods.filter(({ around }) => around.who.kind === kind);
  }
}

function ofCohort(cohort: Cohort): (pod: Pod) => boolean {
  return ({ around }) => around.who.cohort === cohort;
}

function longestMs(meters: readonly LackMeter[]): number {
  return meters.reduce((longest, meter) => Math.max(longest, meter.longestMs), 0);
}

function countStates(pods: readonly Pod[]): Record<PodState, number> {
  const counts: Record<PodState, number> = { idle: 0, running: 0, 'back-off': 0, stopped: 0 };
  for (const { state } of pods) counts[state]++;
  return counts;
}

function daemonExits({ exits }: Counters): Record<Cohort, number> {
  const of = (cohort: Cohort): number =>
    exits['rust-daemon'][cohort] + exits['go-daemon'][cohort] + exits['seed-peer'][cohort];
  return { known: of('known'), cold: of('cold') };
}
