import { expect, it } from 'vitest';
import { inTime } from '../../src/rpc/in-time.js';
import { ManualClock } from '../support/manual-clock.js';

it('waits for all, and no longer than the deadline, and leaves no timer', async () => {
  const clock = new ManualClock();
  expect(await inTime(clock, clock.nowMs() + 10, [Promise.resolve(), Promise.resolve()])).toBe(true);
  expect(clock.pendingTimers).toBe(0);
  const late = inTime(clock, clock.nowMs() + 10, [Promise.resolve(), new Promise<void>(() => undefined)]);
  clock.advance(10);
  expect(await late).toBe(false);
  expect(clock.pendingTimers).toBe(0);
});

it('tells of what went wrong', async () => {
  const clock = new ManualClock();
  await expect(inTime(clock, clock.nowMs() + 10, [Promise.reject(new Error('no space'))])).rejects.toThrow(
    'no space',
  );
});
