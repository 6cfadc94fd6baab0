import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import type { ReadAnswer } from '../../src/rpc/read.js';
import { Code } from '../../src/rpc/status.js';
import { bench, responseOf, turn } from '../support/data-path.js';
import { ended, ok } from '../support/scripted-upstream.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const ASK = { hostname: 'd1', ip: '127.0.0.9', scheduler_cluster_id: '1' };
const schedulers = (...names: string[]): Buffer =>
  responseOf(LIST, {
    schedulers: names.map((hostname) => ({
      hostname,
      scheduler_cluster_id: '1',
      scheduler_cluster: { id: '1', name: 'c' },
    })),
  });
const FAULTS = [
  ['a refused connection', ended(Code.UNAVAILABLE, 'connect ECONNREFUSED')],
  ['a dead database', ended(Code.INTERNAL, 'dial tcp 127.0.0.1:3306: connect: connection refused')],
  ['back-pressure', ended(Code.RESOURCE_EXHAUSTED, 'rejected by grpc_ratelimit middleware')],
] as const;

const summary = ({ source, reply }: ReadAnswer): unknown => [
  source,
  reply.status.code,
  reply.message?.toString('hex'),
];

describe('an answer that is remembered', () => {
  it('is a hit while fresh, stale with one refresh behind when just expired, and asked for when older', async () => {
    const { clock, upstream, path, read } = bench();
    upstream.auto = () => ok(schedulers('a'));
    expect((await path.answerRead(read('ListSchedulers', ASK))).source).toBe('miss');
    clock.advance(29_999);
    expect((await path.answerRead(read('ListSchedulers', ASK))).source).toBe('hit');
    expect(upstream.attempts).toBe(1);
    clock.advance(1);
    upstream.auto = undefined;
    for (let i = 0; i < 5; i++)
      expect((await path.answerRead(read('ListSchedulers', ASK))).source).toBe('stale');
    expect(upstream.asked).toHaveLength(1);
    upstream.asked[0]?.answer(ok(schedulers('a', 'b')));
    await turn();
    expect(summary(await path.answerRead(read('ListSchedulers', ASK)))).toEqual([
      'hit',
      0,
      schedulers('a', 'b').toString('hex'),
    ]);
    clock.advance(60_000);
    const older = path.answerRead(read('ListSchedulers', ASK));
    upstream.asked[1]?.answer(ok(schedulers('c')));
    expect(summary(await older)).toEqual(['miss', 0, schedulers('c').toString('hex')]);
  });

  it('of one caller alone is kept for exactTtl', async () => {
    const { clock, upstream, path, read } = bench();
    upstream.auto = () => ok(schedulers('a'));
    const own = { hostname: 'd1', ip: '127.0.0.9' };
    await path.answerRead(read('ListSchedulers', own));
    clock.advance(119_999);
    expect((await path.answerRead(read('ListSchedulers', own))).source).toBe('hit');
  });

  it.each(FAULTS)('is served at once, marked stale, when asking brings %s', async (_, fault) => {
    const { clock, upstream, path, read } = bench();
    upstream.auto = () => ok(schedulers('a'));
    await path.answerRead(read('ListSchedulers', ASK));
    clock.advance(3_600_000);
    upstream.auto = () => fault;
    const answer = await path.answerRead(read('ListSchedulers', ASK));
    expect(answer.source).toBe('stale');
    expect(clock.nowMs() - answer.askedAtMs).toBe(3_600_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is served when the response timer rings while the manager hangs, and the asking goes on', async () => {
    const { clock, upstream, path, read } = bench();
    upstream.auto = () => ok(schedulers('a'));
    await path.answerRead(read('ListSchedulers', ASK));
    clock.advance(120_000);
    upstream.auto = undefined;
    let answer: ReadAnswer | undefined;
    void path.answerRead(read('ListSchedulers', ASK)).then((a) => {
      answer = a;
    });
    await clock.advanceAsync(499);
    expect(answer).toBeUndefined();
    await clock.advanceAsync(1);
    expect(answer?.source).toBe('stale');
    // Who comes while the manager is known to be late does not wait at all, and leaves nothing behind.
    const timers = clock.pendingTimers;
    const late = read('ListSchedulers', ASK, { deadlineMs: clock.nowMs() + 10_000 });
    expect((await path.answerRead(late)).source).toBe('stale');
    expect(clock.pendingTimers).toBe(timers);
    expect(upstream.asked).toHaveLength(1);
    await clock.advanceAsync(8_500);
    upstream.asked[0]?.answer(ok(schedulers('b')));
    await turn();
    const after = await path.answerRead(read('ListSchedulers', ASK));
    expect(summary(after)).toEqual(['hit', 0, schedulers('b').toString('hex')]);
    expect(clock.nowMs() - after.askedAtMs).toBe(9_000);
  });

  it('is served at once, and asked for behind, where the response timer is 0', async () => {
    const { clock, upstream, path, read } = bench('cache: { responseTimer: 0s }');
    upstream.auto = () => ok(schedulers('a'));
    await path.answerRead(read('ListSchedulers', ASK));
    clock.advance(120_000);
    upstream.auto = undefined;
    expect((await path.answerRead(read('ListSchedulers', ASK))).source).toBe('stale');
    expect(upstream.asked).toHaveLength(1);
  });

  it('is served in half the time that a caller has who cannot wait for the response timer', async () => {
    const { clock, upstream, path, read } = bench();
    upstream.auto = () => ok(schedulers('a'));
    await path.answerRead(read('ListSchedulers', ASK));
    clock.advance(120_000);
    upstream.auto = undefined;
    const answer = path.answerRead(read('ListSchedulers', ASK, { deadlineMs: clock.nowMs() + 300 }));
    await clock.advanceAsync(150);
    expect((await answer).source).toBe('stale');
  });

  it('is there after an outage begins, however often was written before', async () => {
    const { clock, upstream, path, read } = bench();
    const first = path.answerRead(read('ListSchedulers', ASK));
    clock.advance(1);
    path.written({ updates: ['schedulers:*'], deletes: [] });
    upstream.asked[0]?.answer(ok(schedulers('a')));
    expect((await first).source).toBe('miss');
    upstream.auto = () => ok(schedulers('b'));
    expect((await path.answerRead(read('ListSchedulers', ASK))).source).toBe('miss');
    path.written({ updates: ['schedulers:*'], deletes: [] });
    upstream.auto = () => ended(Code.UNAVAILABLE, 'gone');
    expect((await path.answerRead(read('ListSchedulers', ASK))).source).toBe('stale');
  });

  it('older than maxStale is no answer any more', async () => {
    const { clock, upstream, path, read } = bench('cache: { maxStale: 1h }');
    upstream.auto = () => ok(schedulers('a'));
    await path.answerRead(read('ListSchedulers', ASK));
    clock.advance(3_600_001);
    upstream.auto = () => new GatewayError('manager-timeout', 'no answer');
    await expect(path.answerRead(read('ListSchedulers', ASK))).rejects.toThrow('no answer');
  });

  it('is remembered when it is a negative fact, for negativeTtl; UNIMPLEMENTED never is', async () => {
    const { clock, upstream, path, read } = bench();
    upstream.auto = () => ended(Code.NOT_FOUND, 'application not found');
    await path.answerRead(read('ListApplications', {}));
    clock.advance(29_000);
    expect(summary(await path.answerRead(read('ListApplications', {})))).toEqual([
      'hit',
      Code.NOT_FOUND,
      undefined,
    ]);
    upstream.auto = () => ended(Code.UNIMPLEMENTED, 'unknown method');
    await path.answerRead(read('ListSeedPeers', ASK));
    const before = upstream.attempts;
    await path.answerRead(read('ListSeedPeers', ASK));
    expect(upstream.attempts).toBe(before + 1);
  });

  it('that is an empty list is asked for again every time, and still serves when the manager fails', async () => {
    const { upstream, path, read } = bench();
    upstream.auto = () => ok(schedulers());
    await path.answerRead(read('ListSchedulers', ASK));
    expect((await path.answerRead(read('ListSchedulers', ASK))).source).toBe('miss');
    upstream.auto = () => ended(Code.UNAVAILABLE, 'gone');
    expect((await path.answerRead(read('ListSchedulers', ASK))).source).toBe('stale');
  });

  it('counts against cache.maxBytes with what was asked, which a caller may make large', async () => {
    const { upstream, path, read } = bench();
    upstream.auto = () => ok(schedulers('a'));
    await path.answerRead(read('ListSchedulers', { ...ASK, hostname: 'x'.repeat(1_000_000) }));
    expect(path.store.sizeBytes).toBeGreaterThan(1_000_000);
  });

  it('that cannot be read is given to whoever asked, and not kept', async () => {
    const { upstream, path, read, of } = bench();
    upstream.auto = () => ok(Buffer.from([0x0a, 0x7f, 1]));
    expect((await path.answerRead(read('ListSchedulers', ASK))).reply.message).toEqual(
      Buffer.from([0x0a, 0x7f, 1]),
    );
    expect(of('cache-discarded').map((e) => e.reason)).toEqual(['unreadable']);
  });
});

describe('order', () => {
  it('is by when was asked: an answer asked for earlier never replaces one asked for later', async () => {
    const { clock, upstream, path, read, of } = bench();
    const first = path.answerRead(read('GetScheduler', { hostname: 's', scheduler_cluster_id: '1' }));
    clock.advance(1);
    // A write makes the first asking one that nobody may join.
    path.written({ updates: ['unrelated'], deletes: [] });
    const later = { ...read('GetScheduler', { hostname: 's', scheduler_cluster_id: '1' }) };
    path.watch(later).saw({
      reply: ok(nodeOf('new')),
      askedAtMs: clock.nowMs(),
      answeredAtMs: clock.nowMs(),
      manager: '0',
    });
    await turn();
    upstream.asked[0]?.answer(ok(nodeOf('old')));
    expect((await first).reply.message).toEqual(nodeOf('new'));
    expect(of('cache-discarded').map((e) => e.reason)).toEqual(['asked-earlier']);
    expect((await path.answerRead(later)).reply.message).toEqual(nodeOf('new'));
  });

  it('makes an answer void whose asking began before a write: it is asked for again, and stands in when nobody answers', async () => {
    const { clock, upstream, path, read } = bench();
    const ask = { hostname: 's', scheduler_cluster_id: '1' };
    upstream.auto = () => ok(nodeOf('first'));
    await path.answerRead(read('GetScheduler', ask));
    clock.advance(70_000);
    upstream.auto = undefined;
    const before = path.answerRead(read('GetScheduler', ask));
    clock.advance(1);
    path.written({ updates: [JSON.stringify(['scheduler', '1', 's'])], deletes: [] });
    clock.advance(1);
    const after = path.answerRead(read('GetScheduler', ask));
    expect(upstream.asked).toHaveLength(2);
    upstream.asked[0]?.answer(ok(nodeOf('void')));
    expect((await before).reply.message).toEqual(nodeOf('void'));
    upstream.asked[1]?.answer(ended(Code.UNAVAILABLE, 'killed'));
    // Time does not go back for who comes after it was given.
    expect(summary(await after)).toEqual(['stale', 0, nodeOf('void').toString('hex')]);
  });

  it('gives nothing that has become too old while it was waited for something better', async () => {
    for (const ending of [ok(nodeOf('second')), ended(Code.UNAVAILABLE, 'killed')]) {
      const { clock, upstream, path, read } = bench('cache: { maxStale: 90s }');
      const ask = { hostname: 's', scheduler_cluster_id: '1' };
      upstream.auto = () => ok(nodeOf('first'));
      await path.answerRead(read('GetScheduler', ask));
      clock.advance(89_800);
      upstream.auto = undefined;
      const waiting = path.answerRead(read('GetScheduler', ask));
      await turn();
      clock.advance(500);
      await turn();
      upstream.asked[0]?.answer(ending);
      const { reply } = await waiting;
      expect([reply.status.code, reply.message]).toEqual([ending.status.code, ending.message]);
    }
  });

  it('gives whoever asked before a write what was asked for behind it, if that is there first', async () => {
    const { clock, upstream, path, read, of } = bench();
    const ask = { hostname: 's', scheduler_cluster_id: '1' };
    const before = path.answerRead(read('GetScheduler', ask));
    clock.advance(1);
    path.written({ updates: [JSON.stringify(['scheduler', '1', 's'])], deletes: [] });
    clock.advance(1);
    const after = path.answerRead(read('GetScheduler', ask));
    upstream.asked[1]?.answer(ok(nodeOf('new')));
    expect((await after).reply.message).toEqual(nodeOf('new'));
    upstream.asked[0]?.answer(ok(nodeOf('void')));
    expect((await before).reply.message).toEqual(nodeOf('new'));
    expect(of('cache-discarded').map((e) => e.reason)).toEqual(['voided-by-write']);
  });
});

function nodeOf(idc: string): Buffer {
  return responseOf('/manager.v2.Manager/GetScheduler', { hostname: 's', idc });
}
