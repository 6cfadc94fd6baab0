import { describe, expect, it } from 'vitest';
import { Code } from '../../src/rpc/status.js';
import { bench, responseOf } from '../support/data-path.js';
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

describe('the guard', () => {
  it('holds an empty list back until it has been the answer for emptyHold', async () => {
    const { clock, upstream, path, read, of } = bench();
    upstream.auto = () => ok(schedulers('a'));
    await path.answerRead(read('ListSchedulers', ASK));
    upstream.auto = () => ok(schedulers());
    clock.advance(60_000);
    const polls: string[] = [];
    for (let minute = 0; minute < 10; minute++) {
      const answer = await path.answerRead(read('ListSchedulers', ASK));
      polls.push(`${answer.source} ${answer.reply.message?.length === 0 ? 'empty' : 'full'}`);
      clock.advance(60_000);
    }
    expect(new Set(polls)).toEqual(new Set(['stale full']));
    expect((await path.answerRead(read('ListSchedulers', ASK))).reply.message).toHaveLength(0);
    expect(of('guard-held')).toHaveLength(1);
    expect(of('guard-released')).toHaveLength(1);
  });

  it('lets the manager be asked once per TTL while it holds, not once per caller', async () => {
    const { clock, upstream, path, read } = bench();
    upstream.auto = () => ok(schedulers('a'));
    await path.answerRead(read('ListSchedulers', ASK));
    upstream.auto = () => ok(schedulers());
    clock.advance(60_000);
    const before = upstream.attempts;
    for (let i = 0; i < 100; i++) await path.answerRead(read('ListSchedulers', ASK));
    expect(upstream.attempts).toBe(before + 1);
  });

  it('tells nobody the poorer thing because a write made the answer void, and begins no hold with it', async () => {
    const { clock, upstream, path, read, of } = bench();
    upstream.auto = () => ok(schedulers('a'));
    await path.answerRead(read('ListSchedulers', ASK));
    clock.advance(60_000);
    upstream.auto = undefined;
    const asked = path.answerRead(read('ListSchedulers', ASK));
    clock.advance(1);
    // What schedulers do after the very break of their streams that makes the list empty.
    path.written({ updates: ['schedulers:*'], deletes: [] });
    upstream.asked[0]?.answer(ok(schedulers()));
    const { source, reply } = await asked;
    expect([source, reply.status.code, reply.message]).toEqual(['stale', 0, schedulers('a')]);
    expect(of('cache-discarded').map(({ reason }) => reason)).toEqual(['voided-by-write']);
    expect(of('guard-held')).toEqual([]);
  });

  it('begins its hold anew when a good answer came in between', async () => {
    const { clock, upstream, path, read } = bench();
    upstream.auto = () => ok(schedulers('a'));
    await path.answerRead(read('ListSchedulers', ASK));
    for (const [names, ms] of [
      [[], 60_000],
      [['b'], 599_000],
      [[], 60_000],
    ] as [string[], number][]) {
      clock.advance(ms);
      upstream.auto = () => ok(schedulers(...names));
      await path.answerRead(read('ListSchedulers', ASK));
    }
    clock.advance(300_000);
    expect((await path.answerRead(read('ListSchedulers', ASK))).reply.message).toEqual(schedulers('b'));
  });

  it('holds "record not found" and a list without clusters, but not a richer or an equal answer', async () => {
    const { clock, upstream, path, read } = bench();
    const bare = responseOf(LIST, { schedulers: [{ hostname: 'a' }] });
    upstream.auto = () => ok(schedulers('a'));
    await path.answerRead(read('ListSchedulers', ASK));
    for (const poorer of [ended(Code.INTERNAL, 'record not found'), ok(bare)]) {
      clock.advance(61_000);
      upstream.auto = () => poorer;
      expect((await path.answerRead(read('ListSchedulers', ASK))).reply.message).toEqual(schedulers('a'));
    }
    clock.advance(61_000);
    upstream.auto = () => ok(schedulers('b'));
    expect((await path.answerRead(read('ListSchedulers', ASK))).reply.message).toEqual(schedulers('b'));
  });

  it('does not hold back what a deletion through the gateway explains', async () => {
    const { clock, upstream, path, read } = bench();
    const ask = { hostname: 'seed', seed_peer_cluster_id: '1' };
    upstream.auto = () => ok(responseOf('/manager.v2.Manager/GetSeedPeer', { hostname: 'seed' }));
    await path.answerRead(read('GetSeedPeer', ask));
    clock.advance(1);
    path.written({ updates: [], deletes: [JSON.stringify(['seed-peer', '1', 'seed'])] });
    clock.advance(1);
    upstream.auto = () => ended(Code.INTERNAL, 'record not found');
    expect((await path.answerRead(read('GetSeedPeer', ask))).reply.status.message).toBe('record not found');
  });
});
