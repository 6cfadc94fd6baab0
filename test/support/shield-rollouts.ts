import { setTimeout as wait } from 'node:timers/promises';
import type { ReplicaFleet, ReplicaProcess } from './shield-replicas.js';
import { type Standstill, watchStandstill } from './standstill.js';

/** What became of the nodes, ms of this process's time. */
export interface Outcome {
  /** Of each node, in all. */
  readonly inactiveMs: readonly number[];
  /** See Standstill: of the process that the nodes, and what is between, live in. */
  readonly allowanceMs: number;
  /** The longest lapses, for people. */
  readonly story: string;
}

/** Intervals in which a Go client is back: it notices at a tick, opens, and beats a tick later. */
const RETURN_MS = 20_000;

/** Each in turn: a new one is there, the old one drains. Resolves when all nodes have come to rest. */
export function rollingRestart(fleet: ReplicaFleet, timeFactor: number): Promise<Outcome> {
  return measured(fleet, timeFactor, async () => {
    const codes: (number | string)[] = [];
    for (const old of [...fleet.ready]) {
      await fleet.add();
      fleet.withdraw(old);
      old.process.child.kill('SIGTERM');
      codes.push(await old.process.exited);
      await wait(RETURN_MS / timeFactor);
    }
    if (codes.some((code) => code !== 0)) throw new Error(`drained replicas ended with ${codes.join(', ')}`);
  });
}

/** kill -9 of one, and no other in its place. */
export function killOne(fleet: ReplicaFleet, timeFactor: number): Promise<Outcome> {
  return measured(fleet, timeFactor, async () => {
    const victim = firstOf(fleet);
    victim.process.child.kill('SIGKILL');
    await victim.process.exited;
    fleet.withdraw(victim);
    await wait(60_000 / timeFactor);
  });
}

/** SIGSTOP for so long: its connections stay open on both sides, and nobody is told. */
export function freezeOne(fleet: ReplicaFleet, timeFactor: number, frozenMs = 60_000): Promise<Outcome> {
  return measured(fleet, timeFactor, async () => {
    const victim = firstOf(fleet);
    victim.process.child.kill('SIGSTOP');
    // What does not answer its readiness probe gets no new connections.
    fleet.withdraw(victim);
    await wait(frozenMs / timeFactor);
    victim.process.child.kill('SIGCONT');
    await wait(80_000 / timeFactor);
  });
}

/** The manager's process is stopped, with a fleet at it, and goes on. What counts is from then on. */
export async function freezeManager(
  fleet: ReplicaFleet,
  timeFactor: number,
  frozenMs = 60_000,
): Promise<Outcome> {
  fleet.manager.freeze();
  await wait(frozenMs / timeFactor);
  return measured(fleet, timeFactor, async () => {
    fleet.manager.thaw();
    await wait(80_000 / timeFactor);
  });
}

function firstOf(fleet: ReplicaFleet): ReplicaProcess {
  const [first] = fleet.ready;
  if (first === undefined) throw new Error('no replica');
  return first;
}

/** Plays it, and waits until all nodes are active. */
async function measured(
  fleet: ReplicaFleet,
  timeFactor: number,
  play: () => Promise<void>,
): Promise<Outcome> {
  const standstill = watchStandstill();
  const fromMs = performance.now();
  try {
    await play();
    await fleet.allActive(60_000 / timeFactor + 5_000);
    return await outcome(fleet, fromMs, standstill);
  } finally {
    standstill.stop();
  }
}

async function outcome(fleet: ReplicaFleet, fromMs: number, standstill: Standstill): Promise<Outcome> {
  const lapses = await fleet.lapses(fromMs, performance.now());
  const inactiveMs = lapses.map((ofNode) =>
    ofNode.reduce((sum, lapse) => sum + lapse.toMs - lapse.fromMs, 0),
  );
  const worst = lapses
    .map((ofNode, index) => ({ ofNode, totalMs: inactiveMs[index] ?? 0, index }))
    .sort((a, b) => b.totalMs - a.totalMs)
    .slice(0, 5)
    .map(({ ofNode, index }) => {
      const told = ofNode.map(
        (lapse) => `${lapse.cause} ${Math.round(lapse.fromMs - fromMs)}–${Math.round(lapse.toMs - fromMs)}`,
      );
      return `node ${index}: ${told.join(', ')}`;
    });
  const { allowanceMs, longestMs } = standstill;
  const story = `${worst.join('\n')}\nstood still for ${Math.round(longestMs)} ms`;
  return { inactiveMs, allowanceMs, story };
}
