import { setTimeout as wait } from 'node:timers/promises';
import { connectCaller } from '../../support/caller.js';
import { listSchedulersOf, PATHS } from '../../support/promises-messages.js';

/** Callers as a fleet has them: each on a connection of its own, asking now and then what is remembered. */
export interface LegitimateCallers {
  /** Ends them. `latenciesMs` in no order; `failures`: every answer but OK, and every call that broke. */
  stop(): Promise<{ readonly latenciesMs: readonly number[]; readonly failures: readonly unknown[] }>;
}

const COUNT = 8;
/** Between two calls of one caller. */
const PAUSE_MS = 20;

export async function startLegitimateCallers(address: string): Promise<LegitimateCallers> {
  const callers = await Promise.all(Array.from({ length: COUNT }, () => connectCaller(address)));
  const latenciesMs: number[] = [];
  const failures: unknown[] = [];
  let stopped = false;
  const asking = callers.map(async (caller, index) => {
    const request = listSchedulersOf(`legitimate-${index}`);
    while (!stopped) {
      const startedAtMs = performance.now();
      const called = await caller.call(PATHS.list, request).catch((error: unknown) => ({ code: -1, error }));
      latenciesMs.push(performance.now() - startedAtMs);
      if (called.code !== 0) failures.push(called);
      await wait(PAUSE_MS);
    }
    await caller.close();
  });
  return {
    async stop() {
      stopped = true;
      await Promise.all(asking);
      return { latenciesMs, failures };
    },
  };
}
