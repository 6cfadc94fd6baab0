import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { walk } from './walk.js';

/** 30 under `--hard`, 2 with `--toolchains`. */
const MINUTES = Number(process.env.MINUTES ?? (process.env.QUIET_MACHINE === 'yes' ? 30 : 2));
/** Another walk each time; the same one again with SEED=… */
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000_000));
const LOGS = fileURLToPath(new URL(`../../../node_modules/.cache/walk/${SEED}/`, import.meta.url));
const LONGER_MS = 180_000;

it(
  `a walk of ${MINUTES} minutes through faults breaks no promise (SEED=${SEED} MINUTES=${MINUTES})`,
  async () => {
    const say = (line: string): void => void process.stdout.write(`${line}\n`);
    say(`SEED=${SEED}, logs in ${LOGS}`);
    expect(await walk({ seed: SEED, minutes: MINUTES, logs: LOGS, say })).toEqual([]);
  },
  MINUTES * 60_000 + LONGER_MS,
);
