import { expect, it } from 'vitest';
import { runMany, runRandomly } from '../support/shield-random.js';

const TIME_FACTOR = 10;
/** Two hundred, and those in real time: test/hard/keep-alive/random. */
const RUNS = 12;
/** And a second, because when the gateway looks after a reopening is not divided. */
const LIMIT_MS = 10_000 / TIME_FACTOR + 1_000;
/** A look of the gateway at every node is part of it. */
const WATCHED_MS = 30_000;

/** Another one with SEED=… */
const SEED = Number(process.env.SEED ?? 20_260_101);

it(`in ${RUNS} random runs no live node is inactive 10 s after the last fault (SEED=${SEED})`, async () => {
  const { late } = await runMany({
    seeds: Array.from({ length: RUNS }, (_, number) => SEED + number),
    atATime: RUNS,
    limitMs: LIMIT_MS,
    run: (seed) => runRandomly(seed, TIME_FACTOR, WATCHED_MS),
  });
  expect(late).toEqual([]);
}, 120_000);
