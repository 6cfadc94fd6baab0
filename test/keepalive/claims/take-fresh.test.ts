import { describe, expect, it } from 'vitest';
import type { ClaimsExchange, TakeHow } from '../../../src/keepalive/claims/exchange.js';
import type { Taken } from '../../../src/keepalive/claims/replies.js';
import { takeFresh } from '../../../src/keepalive/claims/take-fresh.js';
import { claimTiming } from '../../../src/keepalive/claims/timing.js';
import { ManualClock } from '../../support/manual-clock.js';

const timing = claimTiming(15_000);
const holder = { text: '7 other', since: '7', replica: 'other' };
const yours = (whence: 'forced' | 'mine'): Taken => ({
  kind: 'yours',
  since: '5',
  whence,
  record: undefined,
});
const again = ({ since }: { since: string }): TakeHow => ({ kind: 'again', claim: `${since} me` });

/** `said`: what Redis says, one thing after the other, and how long it takes until that is heard. */
function startTaking(said: readonly { readonly got: Taken | undefined; readonly afterMs: number }[]) {
  const clock = new ManualClock();
  const asked: TakeHow[] = [];
  const take: ClaimsExchange['take'] = (_key, how) => {
    const next = said[asked.length];
    asked.push(how);
    const sentAtMs = clock.nowMs();
    clock.advance(next?.afterMs ?? 0);
    return Promise.resolve({ got: next?.got, sentAtMs });
  };
  const exchange = { take } as ClaimsExchange;
  const startedAtMs = clock.nowMs();
  const done = takeFresh({ exchange, timing, clock }, 'node', undefined, { kind: 'ask' }, again);
  return { asked, done, startedAtMs };
}

describe('a node that Redis gives us', () => {
  it('is ours if we hear of it while it is believed', async () => {
    const { asked, done, startedAtMs } = startTaking([{ got: yours('forced'), afterMs: timing.beliefMs }]);
    expect(await done).toEqual({ got: yours('forced'), sentAtMs: startedAtMs });
    expect(asked).toEqual([{ kind: 'ask' }]);
  });

  it('is asked for again if we hear of it later, and still comes from where it came from', async () => {
    const lateMs = timing.beliefMs + 1;
    const { asked, done, startedAtMs } = startTaking([
      { got: yours('forced'), afterMs: lateMs },
      { got: yours('mine'), afterMs: 1 },
    ]);
    expect(await done).toEqual({ got: yours('forced'), sentAtMs: startedAtMs + lateMs });
    expect(asked).toEqual([{ kind: 'ask' }, { kind: 'again', claim: '5 me' }]);
  });

  it('is asked for three times at the most: then renewals tell whether it is believed', async () => {
    const late = { got: yours('forced'), afterMs: timing.beliefMs + 1 };
    const { asked, done, startedAtMs } = startTaking([late, late, late, late]);
    expect(await done).toEqual({ got: yours('forced'), sentAtMs: startedAtMs + 2 * late.afterMs });
    expect(asked).toHaveLength(3);
  });

  it('is not ours if another replica has taken it meanwhile, or Redis cannot say', async () => {
    const late = { got: yours('forced'), afterMs: timing.beliefMs + 1 };
    const superseded: Taken = { kind: 'superseded', holder };
    expect((await startTaking([late, { got: superseded, afterMs: 1 }]).done).got).toBe(superseded);
    expect((await startTaking([late, { got: undefined, afterMs: 1 }]).done).got).toBeUndefined();
  });
});
