import { describe, expect, it } from 'vitest';
import { depthNow, nextLookMs } from '../../src/keepalive/looks.js';

const RECONCILE_MS = 30_000;
const OPENED_MS = 7_000;

/** When, after the opening, a node is looked at in the first `untilMs`, if each look takes no time. */
function looksWithin(untilMs: number, random: number, reconcileMs = RECONCILE_MS): number[] {
  const looks: number[] = [];
  for (let nowMs = OPENED_MS; ; ) {
    nowMs += nextLookMs(
      { openedAtMs: OPENED_MS, returnedAtMs: undefined, otherReturnedAtMs: undefined },
      nowMs,
      reconcileMs,
      random,
    );
    if (nowMs - OPENED_MS > untilMs) return looks;
    looks.push(Math.round(nowMs - OPENED_MS));
  }
}

describe('the looks at a node', () => {
  it('come at 0.2, 0.5, 1, 2, 5 and 15 s behind an opening, then every keepAlive.reconcile', () => {
    expect(looksWithin(120_000, 0.5)).toEqual([
      220, 550, 1_100, 2_200, 5_500, 16_500, 46_500, 76_500, 106_500,
    ]);
  });

  it('come never sooner than that behind an opening, and up to a fifth sooner or later afterwards', () => {
    expect(looksWithin(60_000, 0)).toEqual([200, 500, 1_000, 2_000, 5_000, 15_000, 39_000]);
    expect(looksWithin(60_000, 1)).toEqual([240, 600, 1_200, 2_400, 6_000, 18_000, 54_000]);
  });

  it('leave out what has passed while one was under way', () => {
    expect(
      nextLookMs(
        { openedAtMs: OPENED_MS, returnedAtMs: undefined, otherReturnedAtMs: undefined },
        OPENED_MS + 1_400,
        RECONCILE_MS,
        0,
      ),
    ).toBe(600);
  });

  it('are never further apart than keepAlive.reconcile', () => {
    expect(looksWithin(9_000, 0.5, 2_000)).toEqual([220, 550, 1_100, 2_200, 4_200, 5_500, 7_500]);
  });
});

describe('a look past the caches of the manager', () => {
  /** Which of the looks, in the first quarter of an hour, are such. */
  const deep = (random: number): number[] => {
    let lastDeepAtMs: number | undefined;
    return looksWithin(900_000, random).filter((afterMs) => {
      const nowMs = OPENED_MS + afterMs;
      if (
        depthNow(
          { openedAtMs: OPENED_MS, returnedAtMs: undefined, otherReturnedAtMs: undefined },
          lastDeepAtMs,
          nowMs,
        ) === 'usual'
      )
        return false;
      lastDeepAtMs = nowMs;
      return true;
    });
  };

  it('is made at 15 s, behind 46 s, and every five minutes', () => {
    expect(deep(0.5)).toEqual([16_500, 46_500, 346_500, 646_500]);
    expect(deep(0)).toEqual([15_000, 63_000, 351_000, 663_000]);
  });

  it('is made anew behind another opening', () => {
    expect(
      depthNow(
        { openedAtMs: 100_000, returnedAtMs: undefined, otherReturnedAtMs: undefined },
        undefined,
        114_999,
      ),
    ).toBe('usual');
    expect(
      depthNow(
        { openedAtMs: 100_000, returnedAtMs: undefined, otherReturnedAtMs: undefined },
        undefined,
        115_000,
      ),
    ).toBe('past-caches');
    expect(
      depthNow(
        { openedAtMs: 100_000, returnedAtMs: undefined, otherReturnedAtMs: undefined },
        90_000,
        115_000,
      ),
    ).toBe('past-caches');
  });
});

describe('the looks at a node when a manager is back', () => {
  const RETURNED_MS = OPENED_MS + 400_000;
  const FROM = { openedAtMs: OPENED_MS, returnedAtMs: RETURNED_MS, otherReturnedAtMs: RETURNED_MS };

  it('come at 0.2, 0.7, 3 and 35 s behind its return, past the caches if another one has the stream', () => {
    const looks: [number, string][] = [];
    let lastDeepAtMs: number | undefined = RETURNED_MS - 1_000;
    for (let nowMs = RETURNED_MS; ; ) {
      nowMs += nextLookMs(FROM, nowMs, RECONCILE_MS, 0);
      if (nowMs - RETURNED_MS > 60_000) break;
      const depth = depthNow(FROM, lastDeepAtMs, nowMs);
      if (depth === 'past-caches') lastDeepAtMs = nowMs;
      looks.push([nowMs - RETURNED_MS, depth]);
    }
    expect(looks).toEqual([
      [200, 'past-caches'],
      [700, 'past-caches'],
      [3_000, 'past-caches'],
      [27_000, 'usual'],
      [35_000, 'past-caches'],
      [59_000, 'usual'],
    ]);
    const own = { ...FROM, otherReturnedAtMs: undefined };
    expect(nextLookMs(own, RETURNED_MS, RECONCILE_MS, 0)).toBe(200);
    expect(depthNow(own, RETURNED_MS - 1_000, RETURNED_MS + 200)).toBe('usual');
  });
});
