import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/errors.js';
import { provenance } from '../../../src/route/reply.js';
import type { ReadAnswer } from '../../../src/rpc/read.js';
import { Code } from '../../../src/rpc/status.js';
import { type Bench, bench, turn } from '../../support/data-path.js';
import { ended, ok } from '../../support/scripted-upstream.js';
import {
  callerOf,
  directAnswer,
  hostnamesIn,
  LIST,
  searching,
  type World,
} from '../../support/searcher-replies.js';

const cluster = (id: number, scopes: World[number]['scopes']): World[number] => ({
  id,
  name: `c${id}`,
  scopes,
  isDefault: false,
  schedulers: 1,
});
const OPEN: World = [cluster(1, { idc: 'b' }), cluster(2, { idc: 'a' }), cluster(3, { location: 'x|y' })];
const BLOCKS: World = [...OPEN, cluster(4, { cidrs: ['10.0.0.0/8'] })];
const HOSTS: World = [...OPEN, cluster(4, { hostnames: ['^gpu'] })];
const GONE = new GatewayError('manager-unavailable', 'gone');

const daemon = (n: number, over: object = {}): object => ({
  source_type: 'PEER_SOURCE',
  hostname: `node-${n}`,
  ip: `11.0.0.${n}`,
  idc: 'a',
  location: 'x',
  ...over,
});
/** Of a place that nobody has asked from. */
const newcomer = (n: number, over: object = {}): object => daemon(n, { idc: 'new', location: 'z', ...over });

/** A gateway that was asked from one place, and whose manager has gone since. */
async function outage(world: World, yaml = ''): Promise<Bench> {
  const made = bench(yaml);
  made.upstream.auto = searching(() => world);
  await made.path.answerRead(made.read(LIST, daemon(1)));
  made.clock.advance(5_000);
  made.upstream.auto = () => GONE;
  // The clock stands still, so nobody waits for a second attempt.
  return { ...made, read: (method, fields, over) => made.read(method, fields, { attempts: 'one', ...over }) };
}

const none = (asked: Promise<ReadAnswer>): Promise<void> => expect(asked).rejects.toBe(GONE);

describe('a newcomer from where nobody ever asked, once the manager has failed', () => {
  it('gets what callers elsewhere were given: the same schedulers, said to be of elsewhere', async () => {
    const { clock, path, read } = await outage(OPEN);
    const asked = read(LIST, newcomer(2));
    const answer = await path.answerRead(asked);
    expect(provenance(answer, clock.nowMs())).toEqual({
      'x-dfmgw-cache': 'stale',
      'x-dfmgw-age-ms': '5000',
      'x-dfmgw-via': 'elsewhere',
    });
    expect(hostnamesIn(answer.reply.message)).toEqual(['c2-s0', 'c3-s0', 'c1-s0']);
    expect(hostnamesIn(directAnswer(OPEN, callerOf(asked))).sort()).toEqual(['c1-s0', 'c2-s0', 'c3-s0']);
  });

  it('has it while it lasts only: it is nobody’s own, and the manager’s answer is, as soon as there is one', async () => {
    const { path, read, upstream } = await outage(OPEN);
    const asked = read(LIST, newcomer(2));
    const entries = path.store.count;
    expect((await path.answerRead(asked)).via).toBe('elsewhere');
    expect((await path.answerRead(asked)).via).toBe('elsewhere');
    expect(path.store.count).toBe(entries);
    expect(path.isFresh(asked)).toBe(false);
    upstream.auto = searching(() => OPEN);
    const own = await path.answerRead(asked);
    expect([own.source, own.reply.message]).toEqual(['miss', directAnswer(OPEN, callerOf(asked))]);
  });

  it.each([
    ['a fault of the manager', () => ended(Code.INTERNAL, 'dial tcp: connect: connection refused')],
    ['an asking that timed out', () => new GatewayError('manager-timeout', 'frozen')],
    ['an open breaker', () => new GatewayError('breaker-open', 'open')],
  ])('takes for a failure %s', async (_, auto) => {
    const { path, read, upstream } = await outage(OPEN);
    upstream.auto = auto;
    expect((await path.answerRead(read(LIST, newcomer(2)))).via).toBe('elsewhere');
  });

  it.each([
    ['a refusal', Code.PERMISSION_DENIED, 'no'],
    ['a wish for less', Code.RESOURCE_EXHAUSTED, 'rejected by grpc_ratelimit middleware'],
    ['an empty list', Code.OK, ''],
  ])('does not take for one %s: that is the manager’s word', async (_, code, message) => {
    const { path, read, upstream } = await outage(OPEN);
    upstream.auto = () => (code === Code.OK ? ok(Buffer.alloc(0)) : ended(code, message));
    const answer = await path.answerRead(read(LIST, newcomer(2)));
    expect([answer.via, answer.reply.status.code]).toEqual([undefined, code]);
  });

  it('is told from which of all places: the nearest by idc, then by location, then the newest', async () => {
    const { clock, path, read, upstream } = await outage(OPEN);
    upstream.auto = searching(() => OPEN);
    for (const place of [{ location: 'x|y|z' }, { idc: 'b', location: 'q' }, { idc: 'c', location: 'r' }]) {
      clock.advance(1_000);
      await path.answerRead(read(LIST, daemon(3, place)));
    }
    upstream.auto = () => GONE;
    const given = async (place: object): Promise<string | undefined> => {
      const answer = await path.answerRead(read(LIST, newcomer(4, place)));
      expect(answer.via).toBe('elsewhere');
      return hostnamesIn(answer.reply.message).join();
    };
    const asTold = (place: object): string =>
      hostnamesIn(directAnswer(OPEN, callerOf(read(LIST, daemon(3, place))))).join();
    expect(await given({ idc: 'B' })).toBe(asTold({ idc: 'b', location: 'q' }));
    expect(await given({ idc: 'a', location: 'X|y' })).toBe(asTold({ location: 'x|y|z' }));
    expect(await given({ location: 'x|y|w' })).toBe(asTold({ location: 'x|y|z' }));
    expect(await given({ location: 'nowhere' })).toBe(asTold({ idc: 'c', location: 'r' }));
  });

  it('works from a snapshot alone, which knows no more than the lists themselves', async () => {
    const before = await outage(OPEN);
    const after = bench();
    after.upstream.auto = () => GONE;
    for (const entry of before.path.store.entries()) after.path.store.set(entry);
    expect((await after.path.answerRead(after.read(LIST, newcomer(2), { attempts: 'one' }))).via).toBe(
      'elsewhere',
    );
  });

  it('gets no list that shows other clusters than the newest ones do', async () => {
    const { clock, path, read, upstream } = await outage(OPEN);
    clock.advance(700_000);
    upstream.auto = searching(() => [...OPEN, cluster(9, {})]);
    await path.answerRead(read(LIST, daemon(2, { idc: 'far' })));
    upstream.auto = () => GONE;
    // Nearer, but of a world that is past.
    const answer = await path.answerRead(read(LIST, newcomer(3, { idc: 'a', location: 'w' })));
    expect(hostnamesIn(answer.reply.message)).toContain('c9-s0');
  });
});

describe('while the manager is merely slow', () => {
  it('a newcomer waits beyond the response timer, and is given a list of elsewhere when three quarters of its time are over', async () => {
    const { clock, path, read, upstream } = await outage(OPEN);
    upstream.auto = undefined;
    let answer: ReadAnswer | undefined;
    const asked = read(LIST, newcomer(2), { deadlineMs: clock.nowMs() + 8_000 });
    void path.answerRead(asked).then((found) => {
      answer = found;
    });
    await clock.advanceAsync(5_999);
    expect(answer).toBeUndefined();
    await clock.advanceAsync(1);
    expect(answer?.via).toBe('elsewhere');
  });

  it('a newcomer has it at the response timer if no manager passes its probe', async () => {
    const { clock, path, read, upstream } = await outage(OPEN);
    upstream.auto = undefined;
    let answer: ReadAnswer | undefined;
    for (const states of [['failed', 'healthy'], ['failed', 'failed'] as const]) {
      upstream.states = states as typeof upstream.states;
      void path.answerRead(read(LIST, newcomer(2, { location: states.join() }))).then((found) => {
        answer = found;
      });
      await clock.advanceAsync(500);
      expect(answer?.via).toBe(states[1] === 'failed' ? 'elsewhere' : undefined);
    }
  });

  it('a newcomer gets the manager’s own answer, however late it comes', async () => {
    const { clock, path, read, upstream } = await outage(OPEN);
    upstream.auto = undefined;
    const asked = read(LIST, newcomer(2));
    const waiting = path.answerRead(asked);
    await clock.advanceAsync(9_000);
    upstream.asked[0]?.answer(ok(directAnswer(OPEN, callerOf(asked))));
    await turn();
    expect((await waiting).source).toBe('miss');
  });
});

describe('no list of elsewhere is given', () => {
  it.each([
    ['where a cluster names hosts', HOSTS, '', {}],
    ['where a cluster declares blocks', BLOCKS, '', {}],
    ['where a cluster declares blocks, with sharing: cidr', BLOCKS, 'cache: { sharing: cidr }', {}],
    [
      'with sharing: exact, by which an operator says that more decides',
      OPEN,
      'cache: { sharing: exact }',
      {},
    ],
    ['to who asks for one cluster by its id', OPEN, '', { scheduler_cluster_id: '1' }],
    ['to a request that the manager would refuse', OPEN, '', { hostname: 'no_name' }],
  ])('%s', async (_, world, yaml, over) => {
    const { path, read } = await outage(world, yaml);
    await none(path.answerRead(read(LIST, newcomer(2, over))));
  });

  it('to v1, whose lists show no scopes', async () => {
    const { path, read } = await outage(OPEN);
    const asked = read('/manager.Manager/ListSchedulers', { hostname: 'node-2', ip: '11.0.0.2' });
    await none(path.answerRead(asked));
  });

  it('while lists disagree on the clusters there are', async () => {
    const { path, read, upstream } = await outage(OPEN);
    upstream.auto = searching(() => [...OPEN, cluster(9, {})]);
    await path.answerRead(read(LIST, daemon(2, { idc: 'b' })));
    upstream.auto = () => GONE;
    await none(path.answerRead(read(LIST, newcomer(3))));
  });

  it('that is older than cache.maxStale', async () => {
    const { clock, path, read } = await outage(OPEN, 'cache: { maxStale: 1h }');
    clock.advance(3_600_000);
    await none(path.answerRead(read(LIST, newcomer(2))));
  });
});
