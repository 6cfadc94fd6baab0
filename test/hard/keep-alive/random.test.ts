import { describe, expect, it } from 'vitest';
import { runMany, runRandomly } from '../../support/shield-random.js';

const RUNS = 200;

/** Another one with SEED=… */
const SEED = Number(process.env.SEED ?? 20_260_101);

describe(`in ${RUNS} random runs no live node is inactive 10 s after the last fault (SEED=${SEED})`, () => {
  it.each([
    // A second more, because when the gateway looks after a reopening is not divided.
    { speed: 'at a tenth of the time', timeFactor: 10, limitMs: 2_000, watchedMs: 30_000, atATime: 25 },
    { speed: 'in real time', timeFactor: 1, limitMs: 10_000, watchedMs: 40_000, atATime: RUNS },
  ])(
    '$speed',
    async ({ speed, timeFactor, limitMs, watchedMs, atATime }) => {
      const seeds = Array.from({ length: RUNS }, (_, number) => SEED + number);
      const run = (seed: number) => runRandomly(seed, timeFactor, watchedMs);
      const { runs, late } = await runMany({ seeds, atATime, limitMs, run });
      const afterMs = runs.map(({ recoveredAfterMs }) => recoveredAfterMs).sort((a, b) => a - b);
      process.stdout.write(
        `${speed}, active again after the last fault: ${Math.round(afterMs[RUNS / 2] ?? 0)} ms (median), ${Math.round(afterMs.at(-1) ?? 0)} ms (longest)\n`,
      );
      expect(late).toEqual([]);
    },
    600_000,
  );
});
