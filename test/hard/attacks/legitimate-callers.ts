import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROCESS = fileURLToPath(new URL('./legitimate-callers.mjs', import.meta.url));
const COUNT = 8;
/** Between two calls of one caller. */
const PAUSE_MS = 20;

/** Callers as a fleet has them: each on a connection of its own, asking now and then what is remembered. */
export interface LegitimateCallers {
  /** Ends them. */
  stop(): Promise<Observed>;
}

/** In no order. */
export interface Observed {
  readonly latenciesMs: readonly number[];
  /** Every answer but OK, and every call that broke. */
  readonly failures: readonly unknown[];
  /** How much too late timers rang in the callers' own process. */
  readonly lateMs: readonly number[];
  /** How many answers came from memory, from the manager, …, by `x-dfmgw-cache`. */
  readonly sources: Readonly<Record<string, number>>;
}

export async function startLegitimateCallers(address: string): Promise<LegitimateCallers> {
  const child = spawn(process.execPath, [PROCESS, address, String(COUNT), String(PAUSE_MS)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the legitimate callers have ended');
    return value;
  };
  await next();
  return {
    async stop() {
      child.stdin.end();
      return JSON.parse(await next()) as Observed;
    },
  };
}
