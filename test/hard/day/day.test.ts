import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFleet } from '../../../src/simulator/fleet/fleet.js';
import { type DayWorld, startDayWorld } from '../../support/day/day-world.js';
import { playHour } from '../../support/day/hours.js';
import { type Level, levelOf, shownLevel } from '../../support/day/level.js';
import { HOUR_MS, NAMES, TIME_FACTOR } from '../../support/day/settings.js';
import { rabbleComes, strangersAsk } from '../../support/day/strangers.js';
import { until } from '../../support/until.js';

/** Twenty: eight hours of a fleet. MINUTES=… for another length. */
const MINUTES = Number(process.env.MINUTES ?? 20);
const HOURS = Math.max(1, Math.round((MINUTES * 60_000) / HOUR_MS));
/** Calls before the day begins, so that whatever is kept of each name is kept by then. */
const FIRST_CALLS = 2 * NAMES;
const CROWDS = 4;
const MOST = 1.1;
/** Timers and sockets that a gateway at rest has at one moment and not at another. */
const A_FEW = 3;

let world: DayWorld;
beforeAll(async () => {
  world = await startDayWorld();
});
afterAll(() => world.stop());

const SAME_LOOKS = 3;

/** A look at it once it rests: visitors have gone, nodes are there, the manager and Redis, too. `as`: and all are there that were. */
async function rested(as?: Level): Promise<Level> {
  let last: Level | undefined;
  let same = 0;
  const rests = async (): Promise<boolean> => {
    const level = await levelOf(world.gateway, world.metrics);
    const wanted = as ?? last;
    const isSame = level.connections === wanted?.connections && level.nodes === wanted.nodes;
    same = isSame && level.nodes > 0 ? same + 1 : 0;
    last = level;
    return same >= SAME_LOOKS;
  };
  await until(`it rests, as with ${JSON.stringify(as)}`, rests, 240_000).catch((error: Error) => {
    const said = world.gateway.lines.slice(-40).map((line) => JSON.stringify(line));
    throw new Error(`${error.message}; it is ${JSON.stringify(last)}, and said\n${said.join('\n')}`);
  });
  return last as Level;
}

const say = (what: string, level: Level): void =>
  void process.stdout.write(`${what}: ${shownLevel(level)}\n`);

it(`after ${HOURS} hours of a fleet the gateway holds on to no more than before`, {
  timeout: 3_600_000,
}, async () => {
  const fleet = startFleet({
    managerAddress: world.address,
    ...{ daemons: 60, goDaemons: 15, schedulers: 9, seedPeers: 6 },
    timeFactor: TIME_FACTOR,
  });
  await Promise.all(Array.from({ length: CROWDS }, () => strangersAsk(world.address, FIRST_CALLS / CROWDS)));
  await rabbleComes(world.address, 100);
  await playHour(world, fleet, 0, 0);
  const before = await rested();
  expect(before.nodes).toBe(15);
  say('before', before);
  fleet.resetStats();
  for (let hour = 1; hour <= HOURS; hour++) {
    await playHour(world, fleet, hour);
    say(`hour ${hour}`, await levelOf(world.gateway, world.metrics));
  }
  const after = await rested(before);
  say('after', after);
  await fleet.stop();
  expect(after.heapBytes).toBeLessThan(before.heapBytes * MOST);
  expect(after.residentBytes).toBeLessThan(before.residentBytes * MOST);
  expect(after.entryBytes).toBeLessThan(before.entryBytes * MOST);
  for (const name of ['descriptors', 'timers', 'sockets'] as const)
    expect([name, after[name] <= before[name] + A_FEW]).toEqual([name, true]);
  expect(world.gateway.child.exitCode).toBe(null);
  expect(world.gateway.lines.filter(({ event }) => event === 'internal-error')).toEqual([]);
  expect(world.gateway.stderr()).toBe('');
});
