import { describe, expect, it } from 'vitest';
import { classify } from '../../src/breaker/classify.js';
import { Faults, type Remedy } from '../../src/keepalive/faults.js';
import { Code, type Status } from '../../src/rpc/status.js';

const faults = (draw = 1): Faults => new Faults({ classify, random: () => draw });
const LOST = { code: Code.UNAVAILABLE, message: 'connection lost' };
const FAILED = { code: Code.INTERNAL, message: 'invalid connection' };
const NOT_FOUND = { code: Code.INTERNAL, message: 'record not found' };

function delays(of: Faults, status: Status, livedMs: readonly number[]): number[] {
  return livedMs.map((ms) => {
    const remedy = of.judge(status, ms) as Extract<Remedy, { kind: 'reopen' }>;
    expect(remedy.kind).toBe('reopen');
    return remedy.delayMs;
  });
}

describe('after the end of a stream that nobody wanted to end', () => {
  it('one that lived is opened again at once', () => {
    expect(delays(faults(), LOST, [500, 60_000, 1_000])).toEqual([0, 0, 0]);
    expect(delays(faults(), FAILED, [5_000, 60_000])).toEqual([0, 0]);
  });

  it('one that did not is waited for, twice as long each time, up to half a second for a link, up to 5 s for a manager', () => {
    expect(delays(faults(), LOST, [1, 1, 1, 1, 1])).toEqual([100, 200, 400, 500, 500]);
    expect(delays(faults(), FAILED, Array(8).fill(10))).toEqual([
      100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000,
    ]);
  });

  it('chance shortens the wait to half of it at most', () => {
    expect(delays(faults(0), FAILED, [1, 1])).toEqual([50, 100]);
  });

  it('back-pressure is always waited for, and told apart', () => {
    const pressed = { code: Code.RESOURCE_EXHAUSTED, message: 'rejected' };
    const remedy = faults().judge(pressed, 60_000);
    expect(remedy).toEqual({ kind: 'reopen', reason: 'manager-error', delayMs: 100, pressed: true });
  });

  it('a row that is not there is asked to be made three times in a row, and then told to the node', () => {
    const one = faults();
    const kinds = Array.from({ length: 5 }, () => one.judge(NOT_FOUND, 2).kind);
    expect(kinds).toEqual(['register', 'register', 'register', 'answer', 'register']);
  });

  it('a row that went under a stream that lived is another matter', () => {
    const one = faults();
    for (let n = 0; n < 10; n++) expect(one.judge(NOT_FOUND, 60_000).kind).toBe('register');
  });
});
