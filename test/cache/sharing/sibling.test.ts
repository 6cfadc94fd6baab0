import { describe, expect, it } from 'vitest';
import { provenance } from '../../../src/route/reply.js';
import { Code } from '../../../src/rpc/status.js';
import { bench, responseOf, turn } from '../../support/data-path.js';
import { ended } from '../../support/scripted-upstream.js';
import { directAnswer, LIST, searching, type World } from '../../support/searcher-replies.js';

const cluster = (id: number, scopes: World[number]['scopes']): World[number] => ({
  id,
  name: `c${id}`,
  scopes,
  isDefault: false,
  schedulers: 1,
});
const OPEN: World = [cluster(1, {}), cluster(2, { idc: 'a' })];
const HOSTS: World = [...OPEN, cluster(3, { hostnames: ['^gpu'] })];
const GONE = ended(Code.INVALID_ARGUMENT, 'invalid');

const daemon = (n: number, over: object = {}): object => ({
  source_type: 'PEER_SOURCE',
  hostname: `node-${n}`,
  ip: `10.0.0.${n}`,
  idc: 'a',
  location: 'x',
  ...over,
});

describe('a caller without an answer of its own, while the manager says nothing', () => {
  it('gets, after the response timer, the newest answer of a caller of its idc and location, and is told so', async () => {
    const { clock, upstream, path, read } = bench('cache: { sharing: exact }');
    upstream.auto = searching(() => OPEN);
    await path.answerRead(read(LIST, daemon(1)));
    clock.advance(5_000);
    const newest = await path.answerRead(read(LIST, daemon(2)));
    upstream.auto = undefined;
    clock.advance(5_000);
    let done = false;
    const waiting = path.answerRead(read(LIST, daemon(3, { idc: 'A' }))).finally(() => {
      done = true;
    });
    await clock.advanceAsync(499);
    expect(done).toBe(false);
    await clock.advanceAsync(1);
    const answer = await waiting;
    expect([answer.source, answer.via, answer.askedAtMs]).toEqual(['stale', 'sibling', newest.askedAtMs]);
    expect(provenance(answer, clock.nowMs())).toEqual({
      'x-dfmgw-cache': 'stale',
      'x-dfmgw-age-ms': '5500',
      'x-dfmgw-via': 'sibling',
    });
    // The asking has gone on, and its answer is this caller's own.
    expect(upstream.asked).toHaveLength(1);
    const [asked] = upstream.asked;
    if (asked !== undefined) asked.answer(searching(() => OPEN)(asked.request));
    await turn();
    expect((await path.answerRead(read(LIST, daemon(3, { idc: 'A' })))).source).toBe('hit');
  });

  it.each([
    ['of another idc', OPEN, { idc: 'b' }],
    ['of another location', OPEN, { location: '' }],
    ['that asks for a cluster by its id', OPEN, { scheduler_cluster_id: '1' }],
    ['while a cluster names hosts', HOSTS, {}],
  ])('gets no sibling’s: one %s', async (_, world, over) => {
    const { upstream, path, read } = bench('cache: { sharing: exact }');
    upstream.auto = searching(() => world);
    await path.answerRead(read(LIST, daemon(1)));
    upstream.auto = () => ended(Code.PERMISSION_DENIED, 'no');
    expect((await path.answerRead(read(LIST, daemon(2, over)))).reply.status.code).toBe(
      Code.PERMISSION_DENIED,
    );
  });

  it('gets no sibling’s where siblings were told different orders: something unseen decides', async () => {
    const { clock, upstream, path, read } = bench('cache: { sharing: exact }');
    upstream.auto = searching(() => OPEN);
    await path.answerRead(read(LIST, daemon(1)));
    clock.advance(1);
    // The same clusters and scopes, but in the order that a plugin may choose for the second.
    upstream.auto = (request) => {
      const schedulers = OPEN.map(({ id, name, scopes }) => ({
        hostname: `c${id}-s0`,
        scheduler_cluster_id: id,
        scheduler_cluster: { id, name, scopes: Buffer.from(JSON.stringify(scopes)) },
      }));
      return { ...searching(() => OPEN)(request), message: responseOf(LIST, { schedulers }) };
    };
    await path.answerRead(read(LIST, daemon(2)));
    upstream.auto = () => ended(Code.PERMISSION_DENIED, 'no');
    expect((await path.answerRead(read(LIST, daemon(3)))).reply.status.code).toBe(Code.PERMISSION_DENIED);
  });
});

describe('a shared answer', () => {
  it('is no longer given once a cluster names hosts; who had it keeps it as a last resort, a stranger does not', async () => {
    const { clock, upstream, path, read } = bench();
    upstream.auto = searching(() => OPEN);
    await path.answerRead(read(LIST, daemon(1)));
    const second = await path.answerRead(read(LIST, daemon(2)));
    expect([second.source, second.via]).toEqual(['hit', 'shared']);
    clock.advance(61_000);
    upstream.auto = searching(() => HOSTS);
    await path.answerRead(read(LIST, daemon(1)));
    // Known now: the second asks for itself although the shared answer could still be given stale.
    const before = upstream.attempts;
    expect((await path.answerRead(read(LIST, daemon(3)))).source).toBe('miss');
    expect(upstream.attempts).toBe(before + 1);
    upstream.auto = () => ended(Code.PERMISSION_DENIED, 'no');
    const last = await path.answerRead(read(LIST, daemon(2)));
    expect([last.source, last.askedAtMs]).toEqual(['stale', second.askedAtMs]);
    expect((await path.answerRead(read(LIST, daemon(4)))).reply.status.code).toBe(Code.PERMISSION_DENIED);
  });

  it('is the first one’s for all who came cold, but those whom it does not suit ask again', async () => {
    for (const [world, calls] of [
      [OPEN, 1],
      [HOSTS, 50],
    ] as const) {
      const { upstream, path, read } = bench();
      const all = Array.from({ length: 50 }, (_, n) => path.answerRead(read(LIST, daemon(n))));
      await turn();
      expect(upstream.asked).toHaveLength(1);
      upstream.auto = searching(() => world);
      const [first] = upstream.asked;
      if (first !== undefined) first.answer(searching(() => world)(first.request));
      await Promise.all(all);
      expect(upstream.attempts).toBe(calls);
    }
  });

  it('is given to a stranger after a restart, too, while the manager is away', async () => {
    const before = bench();
    before.upstream.auto = searching(() => OPEN);
    await before.path.answerRead(before.read(LIST, daemon(1)));
    const after = bench();
    for (const entry of before.path.store.entries()) after.path.store.set(entry);
    after.upstream.auto = () => ended(Code.PERMISSION_DENIED, 'no');
    const answer = await after.path.answerRead(after.read(LIST, daemon(99)));
    expect([answer.via, answer.reply.status.code]).toEqual(['shared', Code.OK]);
    expect(answer.reply.message).toEqual(
      directAnswer(OPEN, { hostname: 'x', ip: '', idc: 'a', location: 'x' }),
    );
  });

  it('never is a refusal that one caller got for itself', async () => {
    const { upstream, path, read } = bench();
    upstream.auto = searching(() => OPEN);
    await path.answerRead(read(LIST, daemon(1)));
    upstream.auto = undefined;
    const refused = path.answerRead(read(LIST, daemon(2, { idc: 'other' })));
    const waits = path.answerRead(read(LIST, daemon(3, { idc: 'other' })));
    await turn();
    upstream.auto = searching(() => OPEN);
    upstream.asked[0]?.answer(GONE);
    expect((await refused).reply.status.code).toBe(Code.INVALID_ARGUMENT);
    expect((await waits).reply.status.code).toBe(Code.OK);
  });

  it('of one cluster is for all who ask by its id, if the answer is surely that cluster’s', async () => {
    for (const [world, calls] of [
      [[cluster(1, {})], 1],
      [OPEN, 2],
    ] as const) {
      const { upstream, path, read } = bench();
      upstream.auto = searching(() => world);
      await path.answerRead(read(LIST, daemon(1, { scheduler_cluster_id: '1' })));
      await path.answerRead(read(LIST, daemon(2, { scheduler_cluster_id: '1', idc: 'b' })));
      expect(upstream.attempts).toBe(calls);
    }
  });
});
