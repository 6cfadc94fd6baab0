import { setTimeout as wait } from 'node:timers/promises';
import { type Random, seededRandom } from '../../src/simulator/fleet/random.js';
import type { FaultKind } from '../../src/simulator/manager/fault.js';
import { type LocalShieldManager, startLocalManager } from './shield-manager.js';
import { type ShieldWorld, settle, startShieldWorld } from './shield-world.js';
import { type Standstill, watchStandstill } from './standstill.js';

type World = ShieldWorld<LocalShieldManager>;

/** What can go wrong with several of them at a time; `begin` and `end` in ms of the fleet's time. */
export interface Mishap {
  readonly kind: MishapKind;
  readonly beginMs: number;
  readonly endMs: number;
}

type MishapKind = keyof typeof MISHAPS;

const managerFault = (kind: Exclude<FaultKind, 'slow' | 'connection-age' | 'database-error'>) => ({
  begin: ({ manager }: World): void => manager.simulated.setFault({ kind }),
  end: ({ manager }: World): void => manager.simulated.clearFault(kind),
});

const MISHAPS = {
  'link-cut': { begin: ({ link }: World): void => link.cut(), end: ({ link }: World): void => link.heal() },
  'link-stalled': {
    begin: ({ link }: World): void => link.stall(),
    end: ({ link }: World): void => link.heal(),
  },
  'link-blinks': {
    begin: ({ link }: World): void => link.blink(),
    end: ({ link }: World): void => link.blink(),
  },
  killed: {
    begin: ({ manager }: World): Promise<void> => manager.simulated.stop(),
    end: ({ manager }: World): Promise<void> => manager.simulated.restart(),
  },
  frozen: managerFault('frozen'),
  'database-dead': managerFault('database-dead'),
  'database-frozen': managerFault('database-frozen'),
  'rate-limited': managerFault('rate-limited'),
  goaway: {
    begin: ({ manager }: World): void => manager.simulated.setFault({ kind: 'connection-age' }),
    end: (): void => undefined,
  },
  'nodes-cut-off': {
    begin: ({ access }: World): void => access.cut(),
    end: ({ access }: World): void => access.heal(),
  },
} satisfies Record<
  string,
  { begin(world: World): void | Promise<void>; end(world: World): void | Promise<void> }
>;

const SPREAD_MS = 20_000;
const SHORTEST_MS = 30;
const LONGEST_MS = 16_000;
/** Longer, and a Go client needs more than the grace to be back: then the node was not live. */
const CUT_OFF_LONGEST_MS = 4_000;
const NODES = 3;
/** What a stream that is replaced may cost at any time. */
const REPLACING_MS = 100;

/** The same for the same seed. One mishap of a kind at the most; only one of those that end with the link healed. */
function mishapsOf(random: Random): Mishap[] {
  const kinds = Object.keys(MISHAPS) as MishapKind[];
  const count = 1 + Math.floor(random() * 4);
  const chosen = new Set<MishapKind>();
  while (chosen.size < count) {
    const kind = kinds[Math.floor(random() * kinds.length)] as MishapKind;
    if (kind === 'link-cut' && chosen.has('link-stalled')) continue;
    if (kind === 'link-stalled' && chosen.has('link-cut')) continue;
    chosen.add(kind);
  }
  return [...chosen].map((kind) => {
    const longestMs = kind === 'nodes-cut-off' ? CUT_OFF_LONGEST_MS : LONGEST_MS;
    const beginMs = random() * SPREAD_MS;
    return { kind, beginMs, endMs: beginMs + SHORTEST_MS * (longestMs / SHORTEST_MS) ** random() };
  });
}

export interface RandomRun {
  readonly seed: number;
  readonly mishaps: readonly Mishap[];
  /** When, after the last fault, the last node was active for good, ms of this process's time; Infinity: it is not. */
  readonly recoveredAfterMs: number;
  /** See Standstill. */
  readonly allowanceMs: number;
  readonly stoodStillMs: number;
  readonly story: string;
}

/** One run: a fleet, its mishaps, and `watchedMs` (of the fleet's time) after the last of them. */
export async function runRandomly(seed: number, timeFactor: number, watchedMs: number): Promise<RandomRun> {
  const random = seededRandom(seed);
  const mishaps = mishapsOf(random);
  // Mostly as measured; sometimes every cancel is overtaken, and late by more.
  const lateInactive =
    random() < 0.7
      ? { probability: 17 / 40, delayMs: 50 }
      : { probability: 1, delayMs: (random() * 5_000) / timeFactor };
  let standstill: Standstill | undefined;
  const manager = await startLocalManager({ timeFactor, seed, lateInactive });
  const world = await startShieldWorld({ manager, timeFactor, through: 'gateway', nodes: NODES });
  try {
    await settle(world);
    await Promise.all(mishaps.map((mishap) => happen(world, mishap, timeFactor)));
    const overMs = performance.now();
    standstill = watchStandstill();
    await world.pass(watchedMs);
    // Whoever is inactive at the end is waited for, to tell a moment from for ever.
    await world.allActive().catch(() => undefined);
    const nowMs = performance.now();
    const lapses = (await world.lapses(overMs, nowMs))
      .flat()
      .filter((lapse) => lapse.toMs - lapse.fromMs > REPLACING_MS);
    const ends = lapses.map(({ toMs }) => (toMs >= nowMs ? Number.POSITIVE_INFINITY : toMs - overMs));
    const story = `${tell(mishaps, lapses, overMs)}, stood still for ${Math.round(standstill.longestMs)} ms`;
    const { allowanceMs, longestMs: stoodStillMs } = standstill;
    return { seed, mishaps, recoveredAfterMs: Math.max(0, ...ends), allowanceMs, stoodStillMs, story };
  } finally {
    standstill?.stop();
    await world.stop();
  }
}

async function happen(world: World, { kind, beginMs, endMs }: Mishap, timeFactor: number): Promise<void> {
  await wait(beginMs / timeFactor);
  await MISHAPS[kind].begin(world);
  await wait((endMs - beginMs) / timeFactor);
  await MISHAPS[kind].end(world);
}

function tell(
  mishaps: readonly Mishap[],
  lapses: readonly { fromMs: number; toMs: number; cause: string }[],
  overMs: number,
): string {
  const lastMs = Math.max(...mishaps.map(({ endMs }) => endMs));
  const faults = mishaps.map(
    ({ kind, beginMs, endMs }) => `${kind} ${Math.round(beginMs - lastMs)}–${Math.round(endMs - lastMs)}`,
  );
  const seen = lapses.map(
    ({ cause, fromMs, toMs }) => `${cause} ${Math.round(fromMs - overMs)}–${Math.round(toMs - overMs)}`,
  );
  return `${faults.join(', ')} (fleet's ms) | inactive: ${seen.join(', ') || 'never'} (ms)`;
}

export interface ManyRuns {
  readonly seeds: readonly number[];
  readonly atATime: number;
  readonly limitMs: number;
  run(seed: number): Promise<RandomRun>;
}

/** Longer than that, and what was seen says more of the machine than of the gateway. */
const STOOD_STILL_MS = 100;

/**
 * Runs them all, and tells of those whose nodes were not active in time. One in which this process stood still is
 * run once more by itself, with the same seed: what is wrong with the gateway is wrong then, too.
 */
export async function runMany({ seeds, atATime, limitMs, run }: ManyRuns): Promise<{
  readonly runs: readonly RandomRun[];
  readonly late: readonly string[];
}> {
  const runs = await sideBySide(seeds, atATime, run);
  const isLate = (one: RandomRun): boolean => one.recoveredAfterMs > limitMs + one.allowanceMs;
  const late: string[] = [];
  for (const one of runs.filter(isLate)) {
    const again = one.stoodStillMs > STOOD_STILL_MS ? await run(one.seed) : one;
    if (isLate(again)) late.push(`SEED=${one.seed}: ${one.story}`);
    else process.stdout.write(`SEED=${one.seed} was in time by itself; before: ${one.story}\n`);
  }
  return { runs, late };
}

async function sideBySide(
  seeds: readonly number[],
  atATime: number,
  run: (seed: number) => Promise<RandomRun>,
): Promise<RandomRun[]> {
  const waiting = [...seeds];
  const done: RandomRun[] = [];
  const worker = async (): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) done.push(await run(seed));
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  return done;
}
