import { setTimeout as wait } from 'node:timers/promises';

const LOOK_INTERVAL_MS = 10;
const LIMIT_MS = 10_000;

/** Resolves when it holds; rejects with what was waited for. For tests that run side by side, where `expect.poll` does not. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = LIMIT_MS,
): Promise<void> {
  const untilMs = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > untilMs) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await wait(LOOK_INTERVAL_MS);
  }
}
