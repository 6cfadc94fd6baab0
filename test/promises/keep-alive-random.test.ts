import { expect, it } from 'vitest';
import { runRandomly, runSideBySide } from '../support/shield-random.js';

const TIME_FACTOR = 10;
const RUNS = 200;
const AT_A_TIME = 25;
/** And a second, because when the gateway looks after a reopening is not divided. */
const LIMIT_MS = 10_000 / TIME_FACTOR + 1_000;
/** A look of the gateway at every node is part of it. */
const WATCHED_MS = 30_000;

/** Another one with SEED=… */
const SEED = Number(process.env.SEED ?? 20_260_101);

it(`in ${RUNS} random runs no live node is inactive 10 s after the last fault (SEED=${SEED})`, async () => {
  const seeds = Array.from({ length: RUNS }, (_, number) => SEED + number);
  const runs = await runSideBySide(seeds, AT_A_TIME, (seed) => runRandomly(seed, TIME_FACTOR, WATCHED_MS));
  const late = runs.filter(({ recoveredAfterMs, allowanceMs }) => recoveredAfterMs > LIMIT_MS + allowanceMs);
  expect(late.map(({ seed, story }) => `SEED=${seed}: ${story}`)).toEqual([]);
}, 240_000);
