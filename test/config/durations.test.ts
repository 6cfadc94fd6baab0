import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/config/durations.js';

describe('a duration', () => {
  test.each([
    ['0', 0],
    ['0s', 0],
    ['500ms', 500],
    ['1m30s', 90_000],
    ['72h', 259_200_000],
    ['1.5h', 5_400_000],
    ['1h0m0.5s', 3_600_500],
    ['.5s', 500],
    ['1.s', 1000],
    ['+5s', 5000],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['1μs', 0.001],
    ['250ns', 0.00025],
    ['1.001s', 1001],
    ['1s1s', 2000],
  ])('%s is %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  test.each([
    ['', 'it is empty'],
    ['5', '"5" has no unit'],
    ['1m30', '"30" has no unit'],
    ['-5s', 'a duration cannot be negative'],
    ['5d', '"d" is not a unit of time'],
    ['5 s', '" s" is not a unit of time'],
    ['5S', '"S" is not a unit of time'],
    ['5constructor', '"constructor" is not a unit of time'],
    ['s', '"s" is not an amount of time'],
    ['ten seconds', '"ten seconds" is not an amount of time'],
    ['1..5s', 'is not an amount of time'],
    ['.s', 'is not an amount of time'],
    ['5s ', '"s " is not a unit of time'],
    ['2562048h', 'longer than 292 years'],
  ])('%j is refused', (text, why) => {
    expect(() => parseDuration(text)).toThrow(why);
  });

  test.each([
    [0, '0s'],
    [90_000, '1m30s'],
    [259_200_000, '72h'],
    [3_600_500, '1h0.5s'],
    [1500, '1.5s'],
    [1.5, '1.5ms'],
    [0.25, '250us'],
    [0.0005, '500ns'],
  ])('%d ms is written %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  test('is the same after it was written and read, to the nanosecond', () => {
    const wholeMs = fc.integer({ min: 0, max: 2 ** 42 });
    const fractionNs = fc.integer({ min: 0, max: 999_999 });
    fc.assert(
      fc.property(wholeMs, (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 30 }), fractionNs, (ms, ns) => {
        expect(parseDuration(formatDuration(ms + ns / 1e6))).toBeCloseTo(ms + ns / 1e6, 6);
      }),
    );
  });

  test('in parts is their sum', () => {
    const part = fc.nat({ max: 100_000 });
    fc.assert(
      fc.property(part, part, part, part, (h, m, s, ms) => {
        expect(parseDuration(`${h}h${m}m${s}s${ms}ms`)).toBe(h * 3_600_000 + m * 60_000 + s * 1000 + ms);
      }),
    );
  });

  test('of any text is a number of ms or refused in words, never NaN', () => {
    const scraps = fc.array(
      fc.constantFrom('1', '0', '.', 'h', 'm', 's', 'ms', '-', '+', ' ', 'µs', '99999999999'),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          scraps.map((parts) => parts.join('')),
        ),
        (text) => {
          const outcome = attempt(() => parseDuration(text));
          if (typeof outcome === 'number') expect(outcome).toBeGreaterThanOrEqual(0);
          else expect(outcome).not.toBe('');
        },
      ),
    );
  });
});

function attempt(parse: () => number): number | string {
  try {
    return parse();
  } catch (error) {
    return (error as Error).message;
  }
}
