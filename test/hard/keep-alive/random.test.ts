import { expect, it } from 'vitest';
import { runRandomly, runSideBySide } from '../../support/shield-random.js';

const REAL_TIME = 1;
const RUNS = 200;
const LIMIT_MS = 10_000;
const WATCHED_MS = 40_000;

/** Another one with SEED=… */
const SEED = Number(process.env.SEED ?? 20_270_101);

it(`in real time, in ${RUNS} random runs no live node is inactive 10 s after the last fault (SEED=${SEED})`, async () => {
  const seeds = Array.from({ length: RUNS }, (_, number) => SEED + number);
  const runs = await runSideBySide(seeds, RUNS, (seed) => runRandomly(seed, REAL_TIME, WATCHED_MS));
  const afterMs = runs.map(({ recoveredAfterMs }) => recoveredAfterMs).sort((a, b) => a - b);
  process.stdout.write(
    `active again after the last fault: ${Math.round(afterMs[RUNS / 2] ?? 0)} ms (median), ${Math.round(afterMs.at(-1) ?? 0)} ms (longest)\n`,
  );
  const late = runs.filter(({ recoveredAfterMs, allowanceMs }) => recoveredAfterMs > LIMIT_MS + allowanceMs);
  expect(late.map(({ seed, story }) => `SEED=${seed}: ${story}`)).toEqual([]);
}, 600_000);
