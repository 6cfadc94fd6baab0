import { beforeEach, describe, expect, it } from 'vitest';
import type { Call } from '../hard/walk/crowd/callers.js';
import { locationOf, type Registered } from '../hard/walk/crowd/node.js';
import { hashOf } from '../hard/walk/crowd/question-class.js';
import type { Outcome } from '../hard/walk/crowd/session.js';
import type { NodeRound } from '../hard/walk/judge/node-terms.js';
import { Judges } from '../hard/walk/judges.js';
import type { Row, Said } from '../hard/walk/stage/managers.js';
import { machineMs } from '../hard/walk/stage/monotonic.js';
import { requestOf, responseOf } from '../support/data-path.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const UPDATE = '/manager.v2.Manager/UpdateScheduler';
const DELETE = '/manager.v2.Manager/DeleteSeedPeer';
const NOT_SAID = 'every answer is one that the manager gave for that question';
const NOT_TAKEN = 'a write is acknowledged only if applied, or journaled and then applied';
const EMPTY = Buffer.alloc(0);

const asking = (hostname: string, idc: string): Buffer => requestOf(LIST, { hostname, ip: '127.0.0.1', idc });
const listing = (...hostnames: readonly string[]): Buffer =>
  responseOf(LIST, { schedulers: hostnames.map((hostname) => ({ hostname })) });

let judges: Judges;
/** All that a test tells of happens from here on. */
let nowMs: number;
beforeEach(() => {
  judges = new Judges();
  nowMs = machineMs();
});

function said(request: Buffer, answer: Buffer, over: Partial<Said> = {}): Said {
  const times = { fromMs: nowMs, toMs: nowMs + 5 };
  return {
    via: 0,
    path: LIST,
    request,
    code: 0,
    message: '',
    hash: hashOf(answer),
    answer,
    ...times,
    ...over,
  };
}

/** Of the first process of a replica, called and answered `afterMs` later than what was said. */
function called(request: Buffer, outcome: Partial<Outcome>, afterMs: number, over: Partial<Call> = {}): Call {
  const trailers = { 'x-dfmgw-cache': 'hit', 'x-dfmgw-age-ms': String(afterMs) };
  const times = { calledAtMs: nowMs + afterMs, gotAtMs: nowMs + afterMs + 1 };
  return {
    ...{ asked: { path: LIST, request }, replica: 0, life: 1 },
    ...times,
    outcome: { code: 0, message: '', answer: EMPTY, trailers, ...outcome },
    ...over,
  };
}

/** The rules that are broken when the round is over; undefined: it has not come to rest. */
function broken(over: Partial<NodeRound> | undefined = {}, rows: readonly Row[] = []): string[] {
  const round = { calmFromMs: nowMs, toMs: nowMs + 20_000, lossUntilMs: 0, allowanceMs: 0, ...over };
  judges.settle(nowMs + 20_000, over === undefined ? undefined : round, rows);
  return judges.told().map((line) => /^broken: ([^|]*) \|/.exec(line)?.[1] ?? line);
}

describe('answers', () => {
  it('are held against what the managers said to questions of their class', () => {
    judges.said(said(asking('a', 'IDC-1'), listing('s')));
    judges.called(called(asking('b', 'idc-1'), { answer: listing('s') }, 100));
    expect(broken()).toEqual([]);
    judges.called(called(asking('b', 'idc-2'), { answer: listing('s') }, 100));
    judges.called(called(asking('b', 'idc-1'), { answer: listing('t') }, 100));
    expect(broken()).toEqual([NOT_SAID, NOT_SAID]);
    expect([judges.answers.judged, judges.sources.get('hit')]).toEqual([3, 3]);
  });

  it('that are a status are held against its code and words', () => {
    const words = { code: 13, message: 'record not found' };
    judges.said(said(asking('a', 'i'), EMPTY, words));
    judges.called(called(asking('a', 'i'), { code: 13, message: 'record%20not%20found' }, 100));
    expect(broken()).toEqual([]);
    judges.called(called(asking('a', 'i'), { code: 13, message: 'invalid%20connection' }, 100));
    judges.called(called(asking('a', 'i'), { code: 5, message: 'record%20not%20found' }, 100));
    expect(broken()).toEqual([NOT_SAID, NOT_SAID]);
  });

  it('of elsewhere may be in another order, and only they', () => {
    const trailers = { 'x-dfmgw-cache': 'stale', 'x-dfmgw-via': 'elsewhere', 'x-dfmgw-age-ms': '100' };
    judges.said(said(asking('a', 'idc-1'), listing('s', 't')));
    const given = called(asking('b', 'idc-2'), { answer: listing('t', 's'), trailers }, 100);
    judges.called(given);
    expect(broken()).toEqual([]);
    judges.called({ ...given, outcome: { ...given.outcome, trailers: { 'x-dfmgw-age-ms': '100' } } });
    expect(broken()).toEqual([NOT_SAID]);
  });

  it('of one process never go back in time; of one that may have been another nobody can tell', () => {
    const [older, newer] = [said(asking('a', 'i'), listing('s')), said(asking('a', 'i'), listing('t'))];
    judges.said(older);
    judges.said({ ...newer, fromMs: nowMs + 1_000, toMs: nowMs + 1_005 });
    const trailers = { 'x-dfmgw-cache': 'miss', 'x-dfmgw-age-ms': '0' };
    judges.called(
      called(asking('a', 'i'), { answer: listing('t'), trailers }, 1_000, { gotAtMs: nowMs + 1_006 }),
    );
    const late = called(asking('a', 'i'), { answer: listing('s') }, 1_500);
    judges.called({ ...late, life: undefined });
    judges.called({ ...late, life: 2 });
    expect(broken()).toEqual([]);
    judges.called(late);
    expect(broken()).toEqual(['time never goes back']);
    judges.over('0.1');
    judges.called(late);
    expect(broken()).toEqual(['time never goes back']);
  });
});

describe('everybody is answered while all is well', () => {
  const RULE = 'everybody is answered while all is well';
  const unanswered = (code: number): void => judges.called(called(asking('a', 'i'), { code }, 1_000));

  it.each([-1, 1, 4, 8, 14])('which status %i is not', (code) => {
    judges.calm([]);
    unanswered(code);
    expect(broken()).toEqual([RULE]);
    expect(judges.codes.get(code)).toBe(1);
  });

  it('and not before, nor after, nor on a machine that stood still', () => {
    unanswered(14);
    judges.calm([]);
    judges.calmIsOver();
    unanswered(14);
    expect(broken()).toEqual([]);
    judges.calm([]);
    unanswered(14);
    expect(broken({ allowanceMs: 4_000 })).toEqual([]);
    // What was told of is not told of again.
    expect(broken()).toEqual([]);
  });
});

describe('writes', () => {
  const request = requestOf(UPDATE, { hostname: 'n', location: locationOf(3) });
  const registered = (trailers: Outcome['trailers'] = {}, code = 0): Registered => ({
    ...{ path: UPDATE, request, version: 3, calledAtMs: nowMs, gotAtMs: nowMs + 50 },
    outcome: { code, message: '', answer: EMPTY, trailers },
  });
  const taken = (): Said => said(request, EMPTY, { path: UPDATE, fromMs: nowMs + 10, toMs: nowMs + 20 });
  const row = (version: number): Row[] => [
    { key: 'n', state: 'active', location: locationOf(version), heard: 0 },
  ];

  it('that are acknowledged are held against what the managers took', () => {
    judges.said(taken());
    judges.registered('n', registered());
    judges.registered('n', registered({}, 14));
    expect(broken()).toEqual([]);
    judges.registered('n', { ...registered(), request: EMPTY });
    expect(broken()).toEqual([NOT_TAKEN]);
  });

  it('that are journaled are held against the row, once the node has lived long enough', () => {
    judges.nodes.began('n', nowMs - 1_000);
    judges.registered('n', registered({ 'x-dfmgw-write': 'journaled' }));
    expect(judges.writes.journaled).toBe(1);
    expect(broken({ toMs: nowMs + 5_000 }, row(2))).toEqual([]);
    expect(broken({}, row(3))).toEqual([]);
    expect(broken({}, row(2))).toEqual([NOT_TAKEN]);
  });

  it('that delete are held against what the managers took, and nothing is said of those that failed', () => {
    judges.deleted('n', { ...registered({}, 14), path: DELETE });
    expect(broken()).toEqual([]);
    judges.deleted('n', { ...registered(), path: DELETE });
    expect(broken()).toEqual([NOT_TAKEN]);
  });
});

describe('nodes', () => {
  const row = (heard: number): Row[] => [{ key: 'n', state: 'active', location: '', heard }];
  const living = (): void => {
    judges.nodes.began('n', nowMs - 30_000);
    judges.nodes.registered('n', nowMs - 29_000);
    judges.nodes.changed({ key: 'n', state: 'active', cause: 'keep-alive', via: 0, atMs: nowMs - 28_000 });
    judges.calm(row(7));
  };

  it('are held against their rows and their beats', () => {
    living();
    expect(broken({}, row(8))).toEqual([]);
    judges.nodes.changed({ key: 'n', state: 'inactive', cause: 'cancel', via: 0, atMs: nowMs + 1 });
    expect(broken({}, row(7))).toEqual([
      'the beats of a live node come through',
      'a live node is active 10 s after the last fault',
    ]);
  });

  it('are not judged where the parts came not to rest, which is counted', () => {
    living();
    judges.nodes.changed({ key: 'n', state: 'inactive', cause: 'cancel', via: 0, atMs: nowMs + 1 });
    judges.settle(nowMs + 20_000, undefined, row(7));
    expect([judges.told(), judges.rounds, judges.restless]).toEqual([[], 1, 1]);
  });
});

describe('processes', () => {
  it('that end by themselves, or say what is nobody’s plan, break a promise', () => {
    judges.despaired('replica-0', '');
    expect(judges.untold()).toEqual([]);
    judges.despaired('replica-0', 'a stack');
    judges.died('replica-1', 'SIGABRT', 'out of memory');
    expect(judges.untold()).toEqual([
      expect.stringMatching(/^broken: no process despairs .* replica-0: a stack$/),
      expect.stringMatching(
        /^broken: no process ends by itself .* replica-1 ended with SIGABRT: out of memory$/,
      ),
    ]);
  });

  it('hold nothing but what their callers hold open', () => {
    const RULE = 'no growth of connections, descriptors or memory';
    const held = { descriptors: 390, residentMib: 100 };
    judges.weigh('replica-0', held, 300);
    judges.count('connections', 20, 20);
    expect(broken()).toEqual([]);
    judges.weigh('replica-0', held, 299);
    judges.count('connections', 21, 20);
    expect(broken()).toEqual([RULE, RULE]);
    expect(() => judges.weigh('replica-0', held, Number.NaN)).toThrow('nobody can say');
  });
});

it('a walk in which nothing was seen is none', () => {
  expect(judges.unseen()).toEqual(
    ['answers', 'registrations', 'ends', 'beats'].map((what) => `nothing was seen of ${what}`),
  );
  judges.called(called(asking('a', 'i'), { answer: listing('s') }, 0));
  expect(broken()).toEqual([NOT_SAID]);
  expect(judges.unseen()).not.toContain('nothing was seen of answers');
});
