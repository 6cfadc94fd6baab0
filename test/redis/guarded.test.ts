import { afterEach, describe, expect, it } from 'vitest';
import type { GatewayEvent } from '../../src/observe/events.js';
import { createGuarded, type Guarded } from '../../src/redis/guarded.js';
import { collectGarbage } from '../support/collect-garbage.js';
import { ManualClock } from '../support/manual-clock.js';

const TIMEOUT_MS = 100;

let guarded: Guarded;
afterEach(() => guarded.shutdown());

function bench() {
  const clock = new ManualClock();
  const events: GatewayEvent[] = [];
  guarded = createGuarded({
    name: 'writes',
    timeoutMs: TIMEOUT_MS,
    onHalfOpen: () => undefined,
    clock,
    emit: (event) => void events.push(event),
  });
  return { clock, events, guarded };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('commands behind the breaker of Redis', () => {
  it('leave nothing behind: Redis may be well for months, and no breaker opens', async () => {
    const { guarded, clock } = bench();
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, number) => {
        const answer = await guarded.run('store', () => Promise.resolve({ number }));
        return new WeakRef(answer as object);
      }),
    );
    await collectGarbage();
    expect(answers.filter((answer) => answer.deref() !== undefined).length).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('wait no longer than until one of them has shown that Redis is away', async () => {
    const { guarded, clock, events } = bench();
    const first = guarded.run('store', never);
    clock.advance(TIMEOUT_MS / 2);
    const second = guarded.run('store', never);
    clock.advance(TIMEOUT_MS / 2);
    expect(await Promise.all([first, second])).toEqual([undefined, undefined]);
    expect(events).toMatchObject([{ kind: 'redis-failed' }, { kind: 'redis-breaker-changed', to: 'open' }]);
    expect(guarded.closed).toBe(false);
    expect(await guarded.run('store', () => Promise.resolve('not asked'))).toBe(undefined);
  });

  it('bring undefined where Redis says no, and what it says otherwise', async () => {
    const { guarded } = bench();
    expect(await guarded.run('store', () => Promise.resolve('stored'))).toBe('stored');
    expect(await guarded.run('store', () => Promise.reject(new Error('READONLY')))).toBe(undefined);
  });
});
