import type { Clock } from '../../rpc/clock.js';

/**
 * What has ended here of late. A Redis that has forgotten it knows the nodes as they were before, and whoever takes over those of the dead would bring
 * them back.
 */
export interface Ended {
  add(key: string): void;
  /** How long ago, ms, the newest last. */
  all(): readonly (readonly [key: string, ageMs: number])[];
}

const MOST = 65_536;

/** `forMs`: what ended longer ago is rubbish in any Redis. */
export function createEnded(clock: Clock, forMs: number): Ended {
  const endedAtMs = new Map<string, number>();
  const forget = (): void => {
    for (const [key, atMs] of endedAtMs) {
      if (endedAtMs.size <= MOST && clock.nowMs() - atMs <= forMs) return;
      endedAtMs.delete(key);
    }
  };
  return {
    add(key) {
      // The newest last.
      endedAtMs.delete(key);
      endedAtMs.set(key, clock.nowMs());
      forget();
    },
    all() {
      forget();
      return [...endedAtMs].map(([key, atMs]) => [key, clock.nowMs() - atMs] as const);
    },
  };
}
