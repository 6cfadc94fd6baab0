import { seededRandom } from '../../../src/simulator/manager/random.js';

/** What one round is made of: the same for the same seed. */
export interface Draw {
  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number;
  oneOf<T>(all: readonly T[]): T;
  bytes(length: number): Buffer;
}

export interface Rounds {
  readonly count: number;
  /** Runs one after the other; an error says with which seed its round is to be had alone. */
  each(round: (draw: Draw, n: number) => unknown): Promise<void>;
}

/** As many rounds as one asks for, not those of every day. */
export const MANY = process.env.FUZZ_RUNS !== undefined;

/** Of a gateway that hangs. */
export const LIMIT_MS = MANY ? 1_800_000 : 120_000;

/** How many rounds stand between two looks at everything else. */
const BREATH = 256;

/**
 * `quick`: how many rounds a default run has. FUZZ_RUNS has another number, of which a suite with costly rounds takes its `share`;
 * FUZZ_SEED is the seed of the first round.
 */
export function rounds(what: string, quick: number, share = 1): Rounds {
  const { FUZZ_RUNS, FUZZ_SEED } = process.env;
  const count = FUZZ_RUNS === undefined ? quick : Math.max(1, Math.ceil(Number(FUZZ_RUNS) * share));
  const seed = FUZZ_SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(FUZZ_SEED);
  return {
    count,
    async each(round) {
      process.stdout.write(`${what}: ${count} rounds from FUZZ_SEED=${seed}\n`);
      for (let n = 0; n < count; n++) {
        try {
          await round(drawFrom(seed + n), n);
        } catch (error) {
          throw new Error(`${what}: FUZZ_SEED=${seed + n} FUZZ_RUNS=1 has it alone`, { cause: error });
        }
        if (n % BREATH === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

function drawFrom(seed: number): Draw {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  return {
    below,
    oneOf<T>(all: readonly T[]): T {
      return all[below(all.length)] as T;
    },
    bytes(length) {
      const bytes = Buffer.allocUnsafe(length);
      for (let at = 0; at < length; at++) bytes[at] = below(256);
      return bytes;
    },
  };
}
