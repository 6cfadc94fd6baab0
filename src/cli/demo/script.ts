import type { Fault } from '../../simulator/manager/fault.js';

/** How many times as fast as in reality time runs. */
export const TIME_FACTOR = 10;

/** Who calls: 200 daemons of both kinds, 4 schedulers, a seed peer. */
export const FLEET = { daemons: 140, goDaemons: 60, schedulers: 4, seedPeers: 1 } as const;

/** How the fleet comes up, ms of simulated time: slowly enough for two cores that run ten times as fast. */
export const COMING_UP = { headStartMs: 20_000, spreadMs: 70_000 } as const;

/** One stretch of the incident; times in ms of simulated time. */
export interface Phase {
  readonly name: string;
  /** What one would tell a colleague who asks what is going on. */
  readonly what: string;
  readonly lastsMs: number;
  /** What is wrong with the manager: these faults and no others. `down`: its process is killed. */
  readonly manager: { readonly kind: 'up'; readonly faults: readonly Fault[] } | { readonly kind: 'down' };
  /** So many Rust daemons are restarted one after the other, as an upgrade does. */
  readonly rollOut?: number;
  /** So many nodes join that nobody has seen before. */
  readonly join?: number;
  /** The callers' figures begin with this phase. */
  readonly counts?: 'from-here';
}

const SECOND_MS = 1_000;
const WELL: Phase['manager'] = { kind: 'up', faults: [] };

/** The incident: it begins with a slow manager, ends with a dead one, and has an aftermath. */
export const SCRIPT: readonly Phase[] = [
  {
    name: 'start',
    what: 'schedulers register, then 200 daemons come up',
    lastsMs: 110 * SECOND_MS,
    manager: WELL,
  },
  {
    name: 'calm',
    what: 'everything works; from here on it is counted',
    lastsMs: 60 * SECOND_MS,
    manager: WELL,
    counts: 'from-here',
  },
  {
    name: 'overload',
    what: 'the manager takes 6 s for an answer, and rejects more than 1 call a second',
    lastsMs: 90 * SECOND_MS,
    // 600 ms of real time are 6 s there. The real limit of 4000 a second is for fleets larger than this one.
    manager: {
      kind: 'up',
      faults: [
        { kind: 'slow', delayMs: 600 },
        { kind: 'rate-limited', callsPerSecond: 1 },
      ],
    },
  },
  {
    name: 'database dead',
    what: 'health still says SERVING; an upgrade restarts 10 daemons, 5 new nodes join',
    lastsMs: 130 * SECOND_MS,
    manager: { kind: 'up', faults: [{ kind: 'database-dead' }] },
    rollOut: 10,
    join: 5,
  },
  {
    name: 'frozen',
    what: 'the manager accepts connections and answers nothing; the upgrade restarts 10 daemons more',
    lastsMs: 90 * SECOND_MS,
    manager: { kind: 'up', faults: [{ kind: 'frozen' }] },
    rollOut: 10,
  },
  {
    name: 'killed',
    what: 'the process is gone: connections are refused',
    lastsMs: 80 * SECOND_MS,
    manager: { kind: 'down' },
  },
  {
    name: 'back',
    what: 'the manager is started again, and everybody wants something at once',
    lastsMs: 90 * SECOND_MS,
    manager: WELL,
  },
  {
    name: 'connections aged',
    what: 'the manager ends every connection once, as it does every 12 h',
    lastsMs: 60 * SECOND_MS,
    manager: { kind: 'up', faults: [{ kind: 'connection-age', graceMs: 100 }] },
  },
];
