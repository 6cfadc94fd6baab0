import { describe, expect, it } from 'vitest';
import { Dispute } from '../../src/keepalive/dispute.js';
import type { Sighting } from '../../src/keepalive/witness.js';

const MINUTE_MS = 60_000;
const OPENED_MS = 1_000;
const active = { kind: 'active', by: 'row' } as const;
const inactive = { kind: 'inactive', by: 'row' } as const;
const gone = { kind: 'gone', by: 'row' } as const;
const listed = (kind: 'active' | 'inactive' | 'gone'): Sighting => ({ kind, by: 'list' });

/** What each sighting, so long after the opening, leads to. */
function verdicts(dispute: Dispute, ...seen: [afterMs: number, sighting: Sighting][]): string[] {
  return seen.map(([afterMs, sighting]) => {
    const verdict = dispute.judge(sighting, OPENED_MS + afterMs);
    return verdict.kind === 'mend' || verdict.kind === 'disputed'
      ? `${verdict.kind} ${verdict.says}${verdict.begins ? ', begins' : ''}`
      : verdict.kind;
  });
}

describe('a live node whose own row is shown as inactive', () => {
  it('is mended at once when it was seen active since its stream was opened', () => {
    const dispute = new Dispute(OPENED_MS);
    expect(verdicts(dispute, [200, active], [500, inactive])).toEqual(['none', 'mend inactive, begins']);
  });

  it('is looked at once more before, when the manager may not have handled the first message yet', () => {
    const dispute = new Dispute(OPENED_MS);
    expect(verdicts(dispute, [200, inactive], [300, inactive], [350, inactive])).toEqual([
      'look-again',
      'look-again',
      'mend inactive, begins',
    ]);
    expect(verdicts(new Dispute(OPENED_MS), [200, inactive], [350, active])).toEqual(['look-again', 'none']);
  });

  it('is suspected anew when it was active in between, or its stream is another one', () => {
    const dispute = new Dispute(OPENED_MS);
    expect(verdicts(dispute, [200, inactive])).toEqual(['look-again']);
    dispute.opened(OPENED_MS + 1_000);
    expect(verdicts(dispute, [1_200, inactive])).toEqual(['look-again']);
  });

  it('is mended again when an end was written behind the stream that was opened for it, before any look', () => {
    const dispute = new Dispute(OPENED_MS);
    verdicts(dispute, [0, active], [1_000, inactive]);
    // That no stream was opened yet is no news.
    expect(verdicts(dispute, [1_100, inactive])).toEqual(['disputed inactive']);
    dispute.opened(OPENED_MS + 1_200);
    expect(verdicts(dispute, [1_400, inactive], [1_550, inactive])).toEqual(['look-again', 'mend inactive']);
  });

  it('is mended three times in a row at the most, then once in ten minutes, unless it was active in between', () => {
    const dispute = new Dispute(OPENED_MS);
    verdicts(dispute, [0, active], [1_000, inactive]);
    dispute.opened(OPENED_MS + 1_000);
    const mendedAt: number[] = [];
    for (let afterMs = 1_000; afterMs < 32 * MINUTE_MS; afterMs += 1_000) {
      const [verdict] = verdicts(dispute, [afterMs, inactive]);
      if (verdict !== 'mend inactive') continue;
      mendedAt.push(afterMs);
      dispute.opened(OPENED_MS + afterMs);
    }
    expect(mendedAt).toEqual([2_000, 7_000, 607_000, 1_207_000, 1_807_000]);
    expect(verdicts(dispute, [33 * MINUTE_MS, active], [33 * MINUTE_MS + 1, inactive])).toEqual([
      'settled',
      'mend inactive, begins',
    ]);
  });

  it('is settled when it is active again, and for how long it was not is known as far as was seen', () => {
    const dispute = new Dispute(OPENED_MS);
    verdicts(dispute, [0, active], [1_000, inactive]);
    expect(dispute.sinceMs).toBe(OPENED_MS + 1_000);
    expect(dispute.judge({ kind: 'unknown', detail: '' }, OPENED_MS + 2_000)).toEqual({ kind: 'none' });
    expect(dispute.judge(active, OPENED_MS + 3_000)).toEqual({ kind: 'settled', disputedMs: 2_000 });
    expect(dispute.sinceMs).toBeUndefined();
  });

  it('may be tried again at the next look when nothing could be done', () => {
    const dispute = new Dispute(OPENED_MS);
    expect(verdicts(dispute, [0, active], [1_000, gone])).toEqual(['none', 'mend gone, begins']);
    dispute.notMended();
    expect(verdicts(dispute, [30_000, gone])).toEqual(['mend gone']);
  });
});

describe('a live node that a list shows as inactive, or no more', () => {
  it.each(['inactive', 'gone'] as const)(
    '(%s) is left alone while the list may be older than its stream',
    (kind) => {
      const dispute = new Dispute(OPENED_MS);
      expect(
        verdicts(dispute, [200, listed(kind)], [30_000, listed(kind)], [9 * MINUTE_MS - 1, listed(kind)]),
      ).toEqual(['none', 'none', 'none']);
      expect(dispute.sinceMs).toBeUndefined();
      expect(verdicts(dispute, [9 * MINUTE_MS, listed(kind)])).toEqual([`mend ${kind}, begins`]);
    },
  );

  it('is mended when lists have shown it active since its stream was opened', () => {
    const dispute = new Dispute(OPENED_MS);
    expect(verdicts(dispute, [200, listed('active')], [30_000, listed('inactive')])).toEqual([
      'none',
      'mend inactive, begins',
    ]);
    // What the list said before that says nothing of the stream that was opened then.
    dispute.opened(OPENED_MS + 30_000);
    expect(verdicts(dispute, [31_000, listed('inactive')])).toEqual(['none']);
  });
});
