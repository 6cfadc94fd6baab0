import { type Clock, systemClock } from '../../src/rpc/clock.js';

/** Time that runs `factor` times as fast, from this moment on: an hour of curves in a few minutes. */
export function fastClock(factor: number, startWallMs = Date.UTC(2026, 0, 14, 2, 40)): Clock {
  const beganMs = systemClock.nowMs();
  const passedMs = (): number => (systemClock.nowMs() - beganMs) * factor;
  return {
    nowMs: () => 1_000 + passedMs(),
    wallMs: () => startWallMs + passedMs(),
    setTimer: (delayMs, fire) => systemClock.setTimer(delayMs / factor, fire),
  };
}
