import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import { Code } from '../../src/rpc/status.js';
import { bench, responseOf } from '../support/data-path.js';
import { ended, ok } from '../support/scripted-upstream.js';

const FAULT = ended(Code.INTERNAL, 'dial tcp 127.0.0.1:3306: connect: connection refused');
const ANSWER = ok(responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's' }));
const NO_RETRY = 'retry: { maxAttempts: 1 }';

/** opossum keeps time by the globals; setImmediate stays real so that promises run. */
beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const ask = (n: number) => ({ hostname: `s${n}`, scheduler_cluster_id: '1' });

describe('the breaker', () => {
  it('is not opened by a thousand "record not found", nor by a thousand rejections for too much load', async () => {
    const { upstream, path, read, of } = bench(NO_RETRY);
    for (const reply of [
      ended(Code.INTERNAL, 'record not found'),
      ended(Code.RESOURCE_EXHAUSTED, 'rejected'),
    ]) {
      upstream.auto = () => reply;
      for (let i = 0; i < 1_000; i++) {
        await path.answerRead(read('GetScheduler', ask(i + (reply.status.code === 8 ? 10_000 : 0))));
      }
    }
    expect(upstream.attempts).toBe(2_000);
    expect(of('breaker-changed')).toEqual([]);
    path.stop();
  });

  it('is not opened by one fault', async () => {
    const { upstream, path, read, of } = bench(NO_RETRY);
    upstream.auto = () => FAULT;
    await path.answerRead(read('GetScheduler', ask(0)));
    upstream.auto = () => ANSWER;
    expect((await path.answerRead(read('GetScheduler', ask(0)))).source).toBe('miss');
    expect(of('breaker-changed')).toEqual([]);
    path.stop();
  });

  it('opens on faults, says why and since when, tries once after resetTimeout, and closes with that one call', async () => {
    const { upstream, path, read, of } = bench(NO_RETRY);
    upstream.auto = () => FAULT;
    for (let i = 0; i < 30; i++) await path.answerRead(read('GetScheduler', ask(i))).catch(() => undefined);
    expect(upstream.attempts).toBeLessThanOrEqual(21);
    await expect(path.answerRead(read('GetScheduler', ask(99)))).rejects.toThrow(
      /GetScheduler: the manager is not asked since 2026-01-01T00:00:0.*connection refused.*within 5000 ms/,
    );
    const asked = upstream.attempts;
    upstream.auto = undefined;
    vi.advanceTimersByTime(5_000);
    // Half-open: one trial, everybody else is refused.
    const trial = path.answerRead(read('GetScheduler', ask(1)));
    await expect(path.answerRead(read('GetScheduler', ask(2)))).rejects.toMatchObject({
      code: 'breaker-open',
    });
    expect(upstream.attempts).toBe(asked + 1);
    upstream.asked[0]?.answer(ANSWER);
    await trial;
    upstream.auto = () => ANSWER;
    expect((await path.answerRead(read('GetScheduler', ask(3)))).source).toBe('miss');
    expect(of('breaker-changed').map(({ to }) => to)).toEqual(['open', 'half-open', 'closed']);
    path.stop();
  });

  it.each([
    ['brings a fault', FAULT],
    ['never gets there', new GatewayError('overloaded', 'too many')],
  ])('opens again when the one trial %s', async (_, result) => {
    const { upstream, path, read } = bench(NO_RETRY);
    upstream.auto = () => FAULT;
    for (let i = 0; i < 25; i++) await path.answerRead(read('GetScheduler', ask(i))).catch(() => undefined);
    vi.advanceTimersByTime(5_000);
    upstream.auto = () => result;
    await path.answerRead(read('GetScheduler', ask(1))).catch(() => undefined);
    expect(path.breakerStates().get('manager.v2.Manager/GetScheduler')).toBe('open');
    path.stop();
  });

  it('opens for a hung manager although thousands are refused before they reach it', async () => {
    const { upstream, path, read } = bench(NO_RETRY);
    for (let i = 0; i < 2_000; i++) {
      upstream.auto = () => new GatewayError(i % 80 === 0 ? 'manager-timeout' : 'overloaded', 'no');
      await path.answerRead(read('GetScheduler', ask(i))).catch(() => undefined);
    }
    expect(path.breakerStates().get('manager.v2.Manager/GetScheduler')).toBe('open');
    path.stop();
  });

  it('of one method leaves the others alone', async () => {
    const { upstream, path, read } = bench(NO_RETRY);
    upstream.auto = () => FAULT;
    for (let i = 0; i < 25; i++) await path.answerRead(read('GetScheduler', ask(i))).catch(() => undefined);
    upstream.auto = () => ended(Code.NOT_FOUND, 'application not found');
    expect((await path.answerRead(read('ListApplications', {}))).source).toBe('miss');
    path.stop();
  });
});
