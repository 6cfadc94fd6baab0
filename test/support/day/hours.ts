import { setTimeout as wait } from 'node:timers/promises';
import { type Fleet, startFleet } from '../../../src/simulator/fleet/fleet.js';
import type { DayWorld } from './day-world.js';
import { HOUR_MS, TIME_FACTOR } from './settings.js';
import { rabbleComes, strangersAsk } from './strangers.js';

/** In a fleet's own time, ms. */
const MINUTE_MS = HOUR_MS / 60;
/** Twenty of them, ms. */
const STRANGERS_EVERY_MS = 1_000;

/** What happens in an hour of a fleet: nodes that come and go, and one trouble after the other. It takes longer than `lengthMs` if that does. */
export async function playHour(
  world: DayWorld,
  fleet: Fleet,
  hour: number,
  lengthMs = HOUR_MS,
): Promise<void> {
  const untilMs = performance.now() + lengthMs;
  const visitors = visitorsTo(world, hour);
  const asking = strangersCome(world, untilMs);
  const rabble = rabbleComes(world.address, 40);
  for (const trouble of TROUBLES) {
    await trouble(world);
    await wait(2 * MINUTE_MS);
  }
  await fleet.rollOut(5);
  await Promise.all([asking, rabble]);
  await visitors.stop();
  await wait(Math.max(0, untilMs - performance.now()));
}

/** A few all the time: each of them finds other answers than those before. */
async function strangersCome({ address }: DayWorld, untilMs: number): Promise<void> {
  while (performance.now() < untilMs) {
    await strangersAsk(address, 20);
    await wait(STRANGERS_EVERY_MS);
  }
}

/** Nodes of their own names, which beat for an hour and then are gone, some politely. */
function visitorsTo({ address }: DayWorld, hour: number): Fleet {
  return startFleet({
    managerAddress: address,
    ...{ daemons: 12, goDaemons: 4, schedulers: 3, seedPeers: 3 },
    ...{ timeFactor: TIME_FACTOR, seed: 100 + hour, numbersFrom: 1_000 * (1 + (hour % 60)) },
  });
}

type Trouble = (world: DayWorld) => Promise<unknown> | unknown;

const fault =
  (kind: 'database-dead' | 'empty-lists' | 'rate-limited' | 'redis-dead', minutes: number): Trouble =>
  async ({ manager }) => {
    await manager.tell({ command: 'fault', fault: { kind } });
    await wait(minutes * MINUTE_MS);
    await manager.tell({ command: 'clear' });
  };

const TROUBLES: readonly Trouble[] = [
  (world) => world.rotate(),
  (world) => world.reload(),
  fault('database-dead', 2),
  fault('empty-lists', 1),
  fault('rate-limited', 1),
  async ({ manager }) => {
    manager.freeze();
    await wait(6 * MINUTE_MS);
    manager.thaw();
  },
  // Its connections end, and its rows stay: another process on the same database.
  ({ manager }) => manager.tell({ command: 'restart' }),
  async ({ redis }) => {
    redis.freeze();
    await wait(2 * MINUTE_MS);
    redis.thaw();
  },
  fault('redis-dead', 1),
  ({ redis }) => redis.restart(),
];
