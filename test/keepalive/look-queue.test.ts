import { describe, expect, it } from 'vitest';
import { createLookQueue } from '../../src/keepalive/look-queue.js';
import { ManualClock } from '../support/manual-clock.js';

function queueOf(inFlight: number, perSecond: number) {
  const clock = new ManualClock();
  const queue = createLookQueue({ inFlight, perSecond, clock });
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const look = (n: number) =>
    queue.run(() => {
      started.push(n);
      return new Promise<number>((resolve) => ends.push(() => resolve(n)));
    });
  return { clock, queue, started, ends, look };
}

describe('the queue of looks', () => {
  it('has so many under way and no more, first come, first served', async () => {
    const { clock, started, ends, look } = queueOf(2, 1_000);
    const looks = [0, 1, 2, 3].map(look);
    expect(started).toEqual([0, 1]);
    ends[1]?.();
    expect(await looks[1]).toBe(1);
    await clock.advanceAsync(1_000);
    expect(started).toEqual([0, 1, 2]);
  });

  it('begins so many a second and no more, and leaves no timer behind', async () => {
    const { clock, queue } = queueOf(10, 10);
    let done = 0;
    const looks = Array.from({ length: 15 }, () => queue.run(() => Promise.resolve(done++)));
    await clock.advanceAsync(499);
    expect(done).toBe(14);
    await clock.advanceAsync(1);
    await Promise.all(looks);
    expect([done, clock.pendingTimers]).toEqual([15, 0]);
  });

  it('spreads what comes at once over the time that it takes', async () => {
    const clock = new ManualClock();
    const queue = createLookQueue({ inFlight: 32, perSecond: 500, clock });
    const atMs: number[] = [];
    for (let n = 0; n < 1_000; n++)
      void queue.run(() => {
        atMs.push(clock.nowMs());
        return Promise.resolve();
      });
    await clock.advanceAsync(1_000);
    expect(atMs.length).toBeGreaterThan(500);
    expect(atMs.length).toBeLessThanOrEqual(532);
    await clock.advanceAsync(1_000);
    expect(atMs).toHaveLength(1_000);
  });

  it('hands on what a look fails with, and goes on', async () => {
    const { clock, queue } = queueOf(1, 1_000);
    await expect(queue.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    const next = queue.run(() => Promise.resolve('next'));
    await clock.advanceAsync(1);
    expect(await next).toBe('next');
  });

  it('begins nothing any more once stopped', async () => {
    const { clock, queue, started, ends, look } = queueOf(1, 1_000_000);
    void look(0);
    void look(1);
    queue.stop();
    ends[0]?.();
    await clock.advanceAsync(10_000);
    expect([started, clock.pendingTimers]).toEqual([[0], 0]);
  });
});
