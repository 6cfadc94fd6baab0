import { expect, vi } from 'vitest';
import { until } from './until.js';

/** How long a browser on a busy machine may take for what it does at once on an idle one. Nothing waits for it to pass. */
export const PATIENCE_MS = 30_000;

/** For a suite that drives a browser: a test of it has several things to wait for. */
export function bePatient(): void {
  vi.setConfig({ testTimeout: 3 * PATIENCE_MS, hookTimeout: 3 * PATIENCE_MS });
}

/** Both are asked for again and again until they say the same. */
export async function agree(seen: () => Promise<unknown>, said: () => Promise<unknown>): Promise<void> {
  let [shown, wanted]: [unknown, unknown] = [undefined, undefined];
  const same = async (): Promise<boolean> => {
    [wanted, shown] = [await said(), await seen()];
    return JSON.stringify(shown) === JSON.stringify(wanted);
  };
  await until('both say the same', same, PATIENCE_MS).catch(() => expect(shown).toEqual(wanted));
}

/** Looks again and again until it is as expected. */
export function soon<T>(seen: () => Promise<T> | T) {
  return expect.poll(seen, { timeout: PATIENCE_MS });
}
