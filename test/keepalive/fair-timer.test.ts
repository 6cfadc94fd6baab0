import { describe, expect, it } from 'vitest';
import { setFairTimer } from '../../src/keepalive/fair-timer.js';
import type { Clock } from '../../src/rpc/clock.js';
import { ManualClock } from '../support/manual-clock.js';

/** A clock whose process can be stopped: time goes on, and timers ring when it runs again. */
function stoppable() {
  const clock = new ManualClock();
  let sleptMs = 0;
  const seen: Clock = {
    nowMs: () => clock.nowMs() + sleptMs,
    wallMs: () => clock.wallMs(),
    setTimer: (delayMs, fire) => clock.setTimer(delayMs, fire),
  };
  return {
    clock,
    seen,
    sleep: (ms: number) => {
      sleptMs += ms;
    },
  };
}

describe('a timer that judges others', () => {
  it('rings in time while the process runs', () => {
    const { clock, seen } = stoppable();
    let rung = 0;
    setFairTimer(seen, 1_000, () => rung++);
    clock.advance(999);
    expect(rung).toBe(0);
    clock.advance(1);
    expect([rung, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('lets what has come be heard when it was the process that slept', () => {
    const { clock, seen, sleep } = stoppable();
    let rung = 0;
    setFairTimer(seen, 1_000, () => rung++);
    sleep(60_000);
    clock.advance(1_000);
    expect(rung).toBe(0);
    clock.advance(500);
    expect(rung).toBe(1);
  });

  it('rings in the end in a process that is always late', () => {
    const { clock, seen, sleep } = stoppable();
    let rung = 0;
    setFairTimer(seen, 1_000, () => rung++);
    for (let n = 0; n < 4; n++) {
      sleep(200);
      clock.advance(1_000);
    }
    expect(rung).toBe(1);
  });

  it('can be cancelled, while it waits again, too', () => {
    const { clock, seen, sleep } = stoppable();
    let rung = 0;
    const timer = setFairTimer(seen, 1_000, () => rung++);
    sleep(60_000);
    clock.advance(1_000);
    timer.cancel();
    clock.advance(10_000);
    expect([rung, clock.pendingTimers]).toEqual([0, 0]);
  });
});
