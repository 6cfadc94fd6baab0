import type { Clock } from '../rpc/clock.js';

const WINDOW_MS = 1_000;

/** How often something has happened within the last one to two seconds. */
export interface RecentCount {
  add(): void;
  readonly count: number;
}

export function createRecentCount(clock: Clock): RecentCount {
  let sinceMs = clock.nowMs();
  let before = 0;
  let now = 0;
  const moveOn = (): void => {
    const passedMs = clock.nowMs() - sinceMs;
    if (passedMs < WINDOW_MS) return;
    before = passedMs < 2 * WINDOW_MS ? now : 0;
    now = 0;
    sinceMs += passedMs - (passedMs % WINDOW_MS);
  };
  return {
    add() {
      moveOn();
      now += 1;
    },
    get count() {
      moveOn();
      return before + now;
    },
  };
}
