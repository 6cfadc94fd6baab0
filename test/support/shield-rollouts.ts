import { setTimeout as wait } from 'node:timers/promises';
import type { ReplicaFleet, ReplicaProcess } from './shield-replicas.js';

/** What became of the nodes, ms of this process's time. */
export interface Outcome {
  /** Of each node, in all. */
  readonly inactiveMs: readonly number[];
  /** The longest lapses, for people. */
  readonly story: string;
}

/** Intervals in which a Go client is back: it notices at a tick, opens, and beats a tick later. */
const RETURN_MS = 20_000;

/** Each in turn: a new one is there, the old one drains. Resolves when all nodes have come to rest. */
export async function rollingRestart(fleet: ReplicaFleet, timeFactor: number): Promise<Outcome> {
  const fromMs = performance.now();
  const codes: (number | string)[] = [];
  for (const old of [...fleet.ready]) {
    await fleet.add();
    fleet.withdraw(old);
    old.process.child.kill('SIGTERM');
    codes.push(await old.process.exited);
    await wait(RETURN_MS / timeFactor);
  }
  await fleet.allActive(60_000 / timeFactor + 5_000);
  if (codes.some((code) => code !== 0)) throw new Error(`drained replicas ended with ${codes.join(', ')}`);
  return outcome(fleet, fromMs);
}

/** kill -9 of one, and no other in its place. */
export async function killOne(fleet: ReplicaFleet, timeFactor: number): Promise<Outcome> {
  const fromMs = performance.now();
  const victim = firstOf(fleet);
  victim.process.child.kill('SIGKILL');
  await victim.process.exited;
  fleet.withdraw(victim);
  await wait(60_000 / timeFactor);
  await fleet.allActive(60_000 / timeFactor + 5_000);
  return outcome(fleet, fromMs);
}

/** SIGSTOP for so long: its connections stay open on both sides, and nobody is told. */
export async function freezeOne(
  fleet: ReplicaFleet,
  timeFactor: number,
  frozenMs = 60_000,
): Promise<Outcome> {
  const fromMs = performance.now();
  const victim = firstOf(fleet);
  victim.process.child.kill('SIGSTOP');
  // What does not answer its readiness probe gets no new connections.
  fleet.withdraw(victim);
  await wait(frozenMs / timeFactor);
  victim.process.child.kill('SIGCONT');
  await wait(80_000 / timeFactor);
  await fleet.allActive(60_000 / timeFactor + 5_000);
  return outcome(fleet, fromMs);
}

/** The manager's process is stopped, with a fleet at it, and goes on. What counts is from then on. */
export async function freezeManager(
  fleet: ReplicaFleet,
  timeFactor: number,
  frozenMs = 60_000,
): Promise<Outcome> {
  fleet.manager.freeze();
  await wait(frozenMs / timeFactor);
  const fromMs = performance.now();
  fleet.manager.thaw();
  await wait(80_000 / timeFactor);
  return outcome(fleet, fromMs);
}

function firstOf(fleet: ReplicaFleet): ReplicaProcess {
  const [first] = fleet.ready;
  if (first === undefined) throw new Error('no replica');
  return first;
}

async function outcome(fleet: ReplicaFleet, fromMs: number): Promise<Outcome> {
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
  return { inactiveMs, story: worst.join('\n') };
}
