import type { Fault } from '../../simulator/manager/fault.js';

/** How many times as fast as in reality time runs. */
export const TIME_FACTOR = 10;

/** Who calls: 200 daemons of both kinds, 4 schedulers, a seed peer. */
export const FLEET = { daemons: 140, goDaemons: 60, schedulers: 4, seedPeers: 1 } as const;

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
}

const SECOND_MS = 1_000;

/** The incident, as issue reports tell it: it begins with a slow manager and ends with a dead one. */
export const SCRIPT: readonly Phase[] = [
  {
    name: 'start',
    what: 'schedulers register, then 200 daemons come up',
    lastsMs: 60 * SECOND_MS,
    manager: { kind: 'up', faults: [] },
  },
  {
    name: 'calm',
    what: 'everything works',
    lastsMs: 80 * SECOND_MS,
    manager: { kind: 'up', faults: [] },
  },
  {
    name: 'overload',
    what: 'the manager is slow (6 s an answer) and rejects what comes beyond its rate',
    lastsMs: 90 * SECOND_MS,
    // Of real time: 600 ms here are 6 s there. The real limit is for fleets a hundred times as large.
    manager: {
      kind: 'up',
      faults: [
        { kind: 'slow', delayMs: 600 },
        { kind: 'rate-limited', callsPerSecond: 10 },
      ],
    },
  },
  {
    name: 'database dead',
    what: 'health still says SERVING; 20 daemons are being upgraded, 5 new nodes join',
    lastsMs: 140 * SECOND_MS,
    manager: { kind: 'up', faults: [{ kind: 'database-dead' }] },
    rollOut: 20,
    join: 5,
  },
  {
    name: 'frozen',
    what: 'the manager accepts connections and answers nothing',
    lastsMs: 100 * SECOND_MS,
    manager: { kind: 'up', faults: [{ kind: 'frozen' }] },
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
    lastsMs: 120 * SECOND_MS,
    manager: { kind: 'up', faults: [] },
  },
];
