import { describe, expect, it } from 'vitest';
import type { NodeEnd } from '../hard/walk/crowd/node.js';
import type { NodeRound } from '../hard/walk/judge/node-terms.js';
import { NodesJudge } from '../hard/walk/judge/nodes.js';
import type { RowChange } from '../hard/walk/stage/managers.js';

const LIMITS = {
  recoveryMs: 10_000,
  blinkMs: 200,
  endMs: { cancel: 1_500, 'half-close': 1_500, deleted: 1_500, killed: 6_500, hung: 7_000 },
  deletedRowMs: 45_000,
  otherManagerMs: 75_000,
  backAfterMs: 15_000,
  adoptedMs: 8_000,
  arrivedMs: 3_000,
} as const;
/** Faults until second 100, calm until second 120. */
const ROUND: NodeRound = { calmFromMs: 100_000, toMs: 120_000, lossUntilMs: 0, allowanceMs: 0 };
const ACTIVE: RowChange = { key: 'n', state: 'active', cause: 'keep-alive', via: 0, atMs: 1_100 };
const INACTIVE: RowChange = { key: 'n', state: 'inactive', cause: 'cancel', via: 0, atMs: 90_000 };
const NOT_ACTIVE = 'a live node is active 10 s after the last fault';
const NOT_INACTIVE = 'a silent node is inactive in time';
const BACK = 'nobody who has ended is brought back';

function living(...changes: readonly RowChange[]): NodesJudge {
  const judge = new NodesJudge(LIMITS);
  judge.began('n', 1_000);
  judge.registered('n', 1_050);
  for (const change of [ACTIVE, ...changes]) judge.changed(change);
  return judge;
}

const rules = (judge: NodesJudge, round = ROUND): string[] => judge.settle(round).map(({ rule }) => rule);
const at = (change: RowChange, atMs: number): RowChange => ({ ...change, atMs });

describe('a live node', () => {
  it('may be inactive among the faults, and for a while after the last', () => {
    expect(rules(living(INACTIVE, at(ACTIVE, 109_000)))).toEqual([]);
  });

  it('that is inactive 10 s after the last fault breaks a promise, whenever that began', () => {
    expect(rules(living(INACTIVE))).toEqual([NOT_ACTIVE]);
    expect(rules(living(INACTIVE, at(ACTIVE, 111_000)))).toEqual([NOT_ACTIVE]);
    expect(rules(living(at(INACTIVE, 112_000), at(ACTIVE, 113_000)))).toEqual([NOT_ACTIVE]);
    expect(rules(living({ ...INACTIVE, state: 'gone', cause: 'deleted' }))).toEqual([NOT_ACTIVE]);
  });

  it('may blink where its stream is replaced', () => {
    expect(rules(living(at(INACTIVE, 112_000), at(ACTIVE, 112_150)))).toEqual([]);
  });

  it('has its time from when it began, and until it ends', () => {
    const judge = new NodesJudge(LIMITS);
    judge.began('n', 111_000);
    judge.registered('n', 111_500);
    judge.changed({ ...INACTIVE, cause: 'registered', atMs: 111_400 });
    expect(rules(judge)).toEqual([]);
    const ending = living(INACTIVE);
    ending.ending('n', 109_000);
    ending.ended('n', 109_000, 'cancel');
    expect(rules(ending)).toEqual([]);
  });

  it('whose row was deleted behind everybody’s back has longer, and not for ever', () => {
    const judge = living({ ...INACTIVE, state: 'gone', cause: 'deleted', via: 'console' });
    judge.rowDeleted('n', 90_000);
    expect(rules(judge)).toEqual([]);
    expect(judge.counts.deletedRows).toBe(1);
    expect(judge.settled(ROUND)).toEqual([]);
    const later = { ...ROUND, calmFromMs: 120_000, toMs: 140_000 };
    expect(rules(judge, later)).toEqual([NOT_ACTIVE]);
    expect(judge.settled(later)).toEqual(['n']);
  });

  it('whose end came late through another manager than its stream is at has longer, and not for ever', () => {
    const judge = living({ ...INACTIVE, via: 1 });
    expect(rules(judge)).toEqual([]);
    expect(judge.counts.lateThroughOther).toBe(1);
    expect(rules(judge, { ...ROUND, calmFromMs: 150_000, toMs: 170_000 })).toEqual([NOT_ACTIVE]);
  });
});

describe('a node that ended', () => {
  const ended = (how: NodeEnd, atMs: number, ...changes: readonly RowChange[]): NodesJudge => {
    const judge = living(...changes);
    judge.ending('n', atMs);
    judge.ended('n', atMs, how);
    return judge;
  };
  /** It has ended in its second life before any KeepAlive of that one was heard, and this is what was written of it last. */
  const endedUnheard = (last: RowChange): NodesJudge => {
    const judge = ended('cancel', 80_000, at(INACTIVE, 80_100), last);
    judge.began('n', 90_000);
    judge.registered('n', 91_000);
    judge.ending('n', 92_000);
    judge.ended('n', 92_000, 'hung');
    return judge;
  };

  it.each([
    ['cancel', 112_000],
    ['half-close', 112_000],
    ['killed', 117_000],
    ['hung', 117_000],
  ] as const)('%s is inactive in time', (how, inactiveAtMs) => {
    const judge = ended(how, 111_000, at(INACTIVE, inactiveAtMs));
    expect(rules(judge)).toEqual([]);
    expect(judge.counts.ends).toBe(1);
    const late = ended(how, 111_000, at(INACTIVE, inactiveAtMs + 2_000));
    expect(rules(late)).toEqual([NOT_INACTIVE]);
  });

  it('among the faults, or before all have recovered, has until the round is over', () => {
    expect(rules(ended('killed', 95_000, at(INACTIVE, 119_000)))).toEqual([]);
    expect(rules(ended('cancel', 109_000, at(INACTIVE, 119_000)))).toEqual([]);
    expect(rules(ended('killed', 95_000))).toEqual([NOT_INACTIVE]);
  });

  it('while a database took no writes may stay as it was, which is counted', () => {
    const losing = { ...ROUND, lossUntilMs: 96_000 };
    const judge = ended('killed', 95_000);
    expect(rules(judge, losing)).toEqual([]);
    expect([judge.counts.ends, judge.counts.lost]).toEqual([0, 1]);
    expect(rules(ended('killed', 97_000), losing)).toEqual([NOT_INACTIVE]);
    // What came through all the same is an end as others are.
    const through = ended('killed', 95_000, at(INACTIVE, 96_000));
    expect(rules(through, losing)).toEqual([]);
    expect(through.counts).toMatchObject({ ends: 1, amongFaults: 1, lost: 0 });
  });

  it('and is set active, or registered, by somebody when managers take writes again, has lost no end', () => {
    const updated: RowChange = { ...ACTIVE, cause: 'updated' };
    const losing = { ...ROUND, lossUntilMs: 101_000 };
    const replayed = ended('killed', 95_000, at(updated, 104_100));
    expect(rules(replayed, losing)).toEqual([NOT_INACTIVE]);
    expect(replayed.counts).toMatchObject({ ends: 1, lost: 0 });
    // As a registration of its own would, which a manager was late with.
    const late = ended('killed', 95_000, at(updated, 103_900));
    expect(rules(late, losing)).toEqual([]);
    expect(late.counts.lost).toBe(1);
    const deleted: RowChange = { ...INACTIVE, state: 'gone', cause: 'deleted', atMs: 95_100 };
    const registered: RowChange = { ...INACTIVE, cause: 'registered', atMs: 105_000 };
    expect(rules(ended('deleted', 95_000, deleted, registered), losing)).toEqual([NOT_INACTIVE]);
    const slow = ended('killed', 95_000, at(updated, 104_100));
    expect(rules(slow, { ...losing, allowanceMs: 200 })).toEqual([]);
  });

  it('before a KeepAlive of that life was heard stays as its registration has left it, which is counted', () => {
    const judge = endedUnheard({ ...ACTIVE, cause: 'updated', atMs: 90_900 });
    expect(rules(judge)).toEqual([]);
    expect(judge.counts).toMatchObject({ ends: 0, unheard: 1 });
  });

  it('before a KeepAlive of that life was heard, and is registered in its name while all is well, is brought back', () => {
    const judge = endedUnheard({ ...ACTIVE, cause: 'updated', atMs: 103_100 });
    expect(rules(judge)).toEqual([NOT_INACTIVE]);
    expect(judge.counts).toMatchObject({ ends: 1, unheard: 0 });
  });

  it('and deleted itself, has no row', () => {
    expect(rules(ended('deleted', 111_000, { ...INACTIVE, state: 'gone', atMs: 111_000 }))).toEqual([]);
    expect(rules(ended('deleted', 111_000, at(INACTIVE, 111_000)))).toEqual([NOT_INACTIVE]);
  });

  it('whose time is not over is judged in the next round', () => {
    const judge = ended('hung', 115_000);
    expect(rules(judge)).toEqual([]);
    expect(rules(judge, { ...ROUND, calmFromMs: 130_000, toMs: 150_000 })).toEqual([NOT_INACTIVE]);
  });

  it('and is set active again long after, breaks a promise; what was on its way does not', () => {
    const updated: RowChange = { ...ACTIVE, cause: 'updated' };
    const judge = ended('cancel', 95_000, at(INACTIVE, 95_100), at(updated, 112_000), at(INACTIVE, 118_000));
    expect(rules(judge)).toEqual([BACK]);
    const late = ended('cancel', 95_000, at(INACTIVE, 95_100), at(updated, 97_000), at(INACTIVE, 99_000));
    expect(rules(late)).toEqual([]);
  });

  it('while all was well, and is soon set active again for more than a moment, is brought back', () => {
    const updated: RowChange = { ...ACTIVE, cause: 'updated' };
    const gone = at(INACTIVE, 111_100);
    expect(rules(ended('cancel', 111_000, gone, at(updated, 113_000)))).toEqual([BACK]);
    expect(rules(ended('cancel', 111_000, gone, at(ACTIVE, 113_000)))).toEqual([BACK]);
    expect(rules(ended('cancel', 111_000, gone, at(updated, 113_000), at(INACTIVE, 115_900)))).toEqual([]);
    const deleted: RowChange = { ...INACTIVE, state: 'gone', cause: 'deleted', atMs: 111_100 };
    const registered: RowChange = { ...INACTIVE, cause: 'registered', atMs: 113_000 };
    expect(rules(ended('deleted', 111_000, deleted, registered))).toEqual([BACK]);
    expect(rules(ended('deleted', 111_000, deleted, registered, at(deleted, 115_900)))).toEqual([]);
  });

  it('and is taken over among faults from a replica that died, is kept for a while, and no longer', () => {
    const opened = at(ACTIVE, 98_000);
    const judge = ended('cancel', 80_000, at(INACTIVE, 80_100), opened, at(INACTIVE, 105_000));
    expect(rules(judge)).toEqual([]);
    expect(judge.counts.adopted).toBe(1);
    expect(rules(ended('cancel', 80_000, at(INACTIVE, 80_100), opened, at(INACTIVE, 107_000)))).toEqual([
      BACK,
    ]);
    const calm = ended('cancel', 80_000, at(INACTIVE, 80_100), at(ACTIVE, 111_000), at(INACTIVE, 112_000));
    expect(rules(calm)).toEqual([BACK]);
  });

  it('and deleted itself, gets no row again', () => {
    const gone: RowChange = { ...INACTIVE, state: 'gone', cause: 'deleted' };
    const again: RowChange = { ...INACTIVE, cause: 'registered', atMs: 114_000 };
    expect(rules(ended('deleted', 95_000, at(gone, 94_900), again))).toEqual([NOT_INACTIVE, BACK]);
    expect(rules(ended('cancel', 95_000, at(gone, 95_100), again))).toEqual([]);
  });

  it('and came back, is a live one', () => {
    const judge = ended('cancel', 95_000, at(INACTIVE, 95_100), at(ACTIVE, 112_000));
    judge.began('n', 111_000);
    judge.registered('n', 111_500);
    expect(rules(judge)).toEqual([]);
    expect(judge.counts).toMatchObject({ ends: 0, cameBack: 1 });
  });
});
