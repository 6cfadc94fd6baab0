import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import { bench, responseOf, turn } from '../support/data-path.js';
import { ended, ok } from '../support/scripted-upstream.js';

const ASK = { hostname: 's', scheduler_cluster_id: '1' };
const ANSWER = responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's' });

describe('single-flight', () => {
  it('asks once for a hundred callers, and the first one leaving takes nothing from the other 99', async () => {
    const { upstream, path, read, of } = bench();
    const first = new AbortController();
    const leaver = path.answerRead(read('GetScheduler', ASK, { signal: first.signal }));
    const others = Array.from({ length: 99 }, () =>
      path.answerRead(read('GetScheduler', ASK, { signal: new AbortController().signal })),
    );
    first.abort(new GatewayError('caller-cancelled', 'cancelled'));
    await expect(leaver).rejects.toMatchObject({ code: 'caller-cancelled' });
    expect(upstream.asked).toHaveLength(1);
    expect(upstream.asked[0]?.request.signal).toBeUndefined();
    upstream.asked[0]?.answer(ok(ANSWER));
    const answers = await Promise.all(others);
    expect(answers.every(({ reply, coalesced }) => coalesced && reply.message === ANSWER)).toBe(true);
    expect(of('call-coalesced')).toHaveLength(99);
  });

  it('lets each caller leave at its own deadline, and remembers the answer that comes later', async () => {
    const { clock, upstream, path, read } = bench();
    const hurried = path.answerRead(read('GetScheduler', ASK, { deadlineMs: clock.nowMs() + 100 }));
    const patient = path.answerRead(read('GetScheduler', ASK, { deadlineMs: clock.nowMs() + 9_000 }));
    const left = expect(hurried).rejects.toMatchObject({ code: 'deadline-exceeded' });
    await clock.advanceAsync(100);
    await left;
    await clock.advanceAsync(1_000);
    upstream.asked[0]?.answer(ok(ANSWER));
    expect((await patient).source).toBe('miss');
    expect((await path.answerRead(read('GetScheduler', ASK))).source).toBe('hit');
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives the asking a deadline of its own, whatever the first caller would wait', async () => {
    const { clock, upstream, path, read } = bench('managers: { requestTimeout: 7s }');
    void path
      .answerRead(read('GetScheduler', ASK, { deadlineMs: clock.nowMs() + 100_000 }))
      .catch(() => undefined);
    await turn();
    expect(upstream.asked[0]?.request.deadlineMs).toBe(clock.nowMs() + 7_000);
  });

  it('does not let one bad request be the answer of others who ask the same, nor be remembered', async () => {
    const { upstream, path, read } = bench();
    const bad = path.answerRead(read('ListApplications', { hostname: 'bad name!' }));
    const same = path.answerRead(read('ListApplications', { hostname: 'bad name!' }));
    const good = path.answerRead(read('ListApplications', { hostname: 'good' }));
    expect(upstream.asked).toHaveLength(1);
    upstream.asked[0]?.answer(ended(3, 'invalid hostname'));
    expect((await bad).reply.status.code).toBe(3);
    expect((await same).reply.status.code).toBe(3);
    await turn();
    expect(upstream.asked).toHaveLength(2);
    const applications = responseOf('/manager.v2.Manager/ListApplications', {
      applications: [{ name: 'lfs' }],
    });
    upstream.asked[1]?.answer(ok(applications));
    expect((await good).reply.message).toBe(applications);
    expect((await path.answerRead(read('ListApplications', { hostname: 'third' }))).source).toBe('hit');
  });

  it('asks once more, not once for each, for all who had joined a bad request', async () => {
    const { upstream, path, read } = bench();
    const asks = ['none', ...Array.from({ length: 99 }, (_, i) => `127.0.0.${i + 1}`)].map((ip) =>
      path.answerRead(read('ListApplications', { hostname: 'h', ip })),
    );
    upstream.asked[0]?.answer(ended(3, 'invalid ListApplicationsRequest.Ip'));
    await turn();
    expect(upstream.asked).toHaveLength(2);
    upstream.asked[1]?.answer(ended(5, 'application not found'));
    const codes = (await Promise.all(asks)).map(({ reply }) => reply.status.code);
    expect(new Set(codes.slice(1))).toEqual(new Set([5]));
  });

  it('does not let one bad request replace what is remembered', async () => {
    const { clock, upstream, path, read } = bench();
    upstream.auto = () => ok(ANSWER);
    await path.answerRead(read('GetScheduler', ASK));
    clock.advance(3_600_000);
    upstream.auto = () => ended(3, 'invalid ip');
    expect((await path.answerRead(read('GetScheduler', { ...ASK, ip: 'nonsense' }))).reply.status.code).toBe(
      3,
    );
    upstream.auto = () => ended(14, 'gone');
    expect((await path.answerRead(read('GetScheduler', ASK))).reply.message).toBe(ANSWER);
  });

  it('survives a caller who has left before joining an asking that then fails', async () => {
    const { upstream, path, read } = bench();
    const unhandled: unknown[] = [];
    const others = process.listeners('unhandledRejection');
    process
      .removeAllListeners('unhandledRejection')
      .on('unhandledRejection', (error) => unhandled.push(error));
    const first = path.answerRead(read('GetScheduler', ASK));
    const signal = AbortSignal.abort(new GatewayError('caller-cancelled', 'cancelled'));
    const left = path.answerRead(read('GetScheduler', ASK, { signal }));
    await expect(left).rejects.toMatchObject({ code: 'caller-cancelled' });
    upstream.asked[0]?.fail(new GatewayError('manager-timeout', 'no answer'));
    await expect(first).rejects.toMatchObject({ code: 'manager-timeout' });
    await turn();
    process.removeAllListeners('unhandledRejection');
    for (const listener of others) process.on('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });

  it('keeps questions apart that differ in what the answer depends on, and no others', async () => {
    const { upstream, path, read } = bench();
    const asks = [
      read('GetScheduler', ASK),
      read('GetScheduler', { ...ASK, ip: '127.0.0.7' }),
      read('GetScheduler', { ...ASK, scheduler_cluster_id: '2' }),
      read('/manager.Manager/GetScheduler', ASK),
      read('ListSchedulers', { hostname: 'h', version: 'v1' }),
      read('ListSchedulers', { hostname: 'h', version: 'v2', commit: 'c' }),
      read('ListSchedulers', { hostname: 'h', idc: 'x' }),
      read('ListApplications', { hostname: 'h' }),
      read('ListApplications', { hostname: 'i' }),
    ];
    for (const ask of asks) void path.answerRead(ask);
    await turn();
    expect(upstream.asked).toHaveLength(6);
  });
});
