import { describe, expect, it } from 'vitest';
import { createRetryBudget } from '../../src/retry/budget.js';
import { Code } from '../../src/rpc/status.js';
import { bench, responseOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { ended, ok } from '../support/scripted-upstream.js';

const ASK = { hostname: 's', scheduler_cluster_id: '1' };
const ANSWER = ok(responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's' }));
const FAULT = ended(Code.UNAVAILABLE, 'connection refused');

describe('retry', () => {
  it('asks three times, after pauses of half a second and a second (jitter in the middle), then tells the fault', async () => {
    const { clock, upstream, path, read, of } = bench();
    upstream.auto = () => FAULT;
    // A second of idleness pays for the second retry.
    clock.advance(2_000);
    const answer = path.answerRead(read('GetScheduler', ASK));
    await clock.advanceAsync(500);
    expect(upstream.attempts).toBe(2);
    await clock.advanceAsync(1_000);
    expect((await answer).reply.status).toEqual(FAULT.status);
    expect(upstream.attempts).toBe(3);
    expect(of('retry-scheduled').map(({ delayMs }) => delayMs)).toEqual([500, 1_000]);
  });

  it('stops at the first attempt that succeeds', async () => {
    const { clock, upstream, path, read } = bench();
    upstream.auto = () => (upstream.attempts === 1 ? FAULT : ANSWER);
    const answer = path.answerRead(read('GetScheduler', ASK));
    await clock.advanceAsync(500);
    expect((await answer).reply.message).toBe(ANSWER.message);
    expect(upstream.attempts).toBe(2);
  });

  it.each([
    ['a fact', ended(Code.INTERNAL, 'record not found')],
    ['back-pressure', ended(Code.RESOURCE_EXHAUSTED, 'rejected')],
    ['a permanent error', ended(Code.PERMISSION_DENIED, 'no')],
  ])('does not ask again after %s', async (_, reply) => {
    const { upstream, path, read, clock } = bench();
    upstream.auto = () => reply;
    await path.answerRead(read('GetScheduler', ASK));
    expect(upstream.attempts).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not begin an attempt that the deadline of the asking would cut', async () => {
    const { upstream, path, read, of } = bench('{ managers: { requestTimeout: 500ms } }');
    upstream.auto = () => FAULT;
    await path.answerRead(read('GetScheduler', ASK));
    expect(upstream.attempts).toBe(1);
    expect(of('retry-refused').map(({ reason }) => reason)).toEqual(['deadline']);
  });

  it.each([
    ['with less than a second left begins none, which no manager could answer', '10s', 8_501, 1],
    ['with a second left begins one', '10s', 8_500, 2],
    ['of a short asking begins one with a tenth of it left', '2s', 1_300, 2],
    ['of a short asking begins none with less', '2s', 1_301, 1],
  ])('%s', async (_, requestTimeout, failsAfterMs, attempts) => {
    const { clock, upstream, path, read, of } = bench(`{ managers: { requestTimeout: ${requestTimeout} } }`);
    const answer = path.answerRead(read('GetScheduler', ASK));
    await clock.advanceAsync(failsAfterMs);
    upstream.asked[0]?.answer(FAULT);
    await clock.advanceAsync(500);
    expect(upstream.attempts).toBe(attempts);
    expect(of('retry-refused')).toHaveLength(2 - attempts);
    upstream.asked[1]?.answer(ANSWER);
    expect((await answer).reply).toEqual(attempts === 1 ? FAULT : ANSWER);
  });

  it('keeps to its budget: a tenth of the requests and one a second, however many fail', () => {
    const clock = new ManualClock();
    const budget = createRetryBudget({ limits: { budget: 0.1 }, clock });
    let granted = 0;
    for (let i = 0; i < 1_000; i++) {
      budget.deposit();
      if (budget.withdraw()) granted++;
      clock.advance(1);
    }
    expect(granted).toBeGreaterThanOrEqual(90);
    expect(granted).toBeLessThanOrEqual(102);
  });

  it('saves up no more than ten seconds of the one a second', () => {
    const clock = new ManualClock();
    const budget = createRetryBudget({ limits: { budget: 0.1 }, clock });
    clock.advance(3_600_000);
    const granted = Array.from({ length: 50 }, () => budget.withdraw()).filter(Boolean).length;
    expect(granted).toBe(10);
  });
});
