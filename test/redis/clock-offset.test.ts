import { describe, expect, it } from 'vitest';
import { createClockOffset } from '../../src/redis/clock-offset.js';

/** Redis's clock when ours shows 0, ms. */
const APART_MS = 1_000_000;
const at = (ms: number): number => (APART_MS + ms) * 1_000;

describe('what time it was at Redis', () => {
  it('is not known before it has said it', () => {
    expect(createClockOffset().latestUs(5, 10)).toBeUndefined();
  });

  it('is known the better the quicker an exchange was, and no worse after a slow one', () => {
    const offset = createClockOffset();
    offset.learn({ atUs: at(90), beforeMs: 0, afterMs: 100 });
    expect(offset.latestUs(40, 100)).toBe(at(130));
    offset.learn({ atUs: at(101), beforeMs: 100, afterMs: 102 });
    expect(offset.latestUs(40, 102)).toBe(at(41));
    offset.learn({ atUs: at(190), beforeMs: 103, afterMs: 203 });
    expect(offset.latestUs(40, 203)).toBeLessThan(at(42));
    expect(offset.latestUs(40, 203)).toBeGreaterThan(at(40));
  });

  it('is less certain as the clocks drift apart, and begins anew when one was set', () => {
    const offset = createClockOffset();
    offset.learn({ atUs: at(0), beforeMs: 0, afterMs: 0 });
    expect(offset.latestUs(0, 60_000)).toBe(at(60));
    offset.learn({ atUs: at(61_000 - 3_600_000), beforeMs: 61_000, afterMs: 61_000 });
    expect(offset.latestUs(61_000, 61_000)).toBe(at(61_000 - 3_600_000));
    offset.learn({ atUs: at(62_000), beforeMs: 62_000, afterMs: 62_000 });
    expect(offset.latestUs(62_000, 62_000)).toBe(at(62_000));
  });
});
