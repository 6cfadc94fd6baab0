import { describe, expect, it } from 'vitest';
import { createClaimsExchange } from '../../../src/keepalive/claims/exchange.js';
import { claimTiming } from '../../../src/keepalive/claims/timing.js';
import { redisKeys } from '../../../src/redis/keys.js';
import { configOf } from '../../support/data-path.js';
import { ManualClock } from '../../support/manual-clock.js';

/** A Redis that says "no" to one request after the other, when the test says so. */
function startExchange() {
  const clock = new ManualClock();
  const answers: (() => void)[] = [];
  const { claims: keys } = redisKeys({ keyPrefix: 'dfmgw', fleetId: 'f1' });
  const exchange = createClaimsExchange({
    config: configOf('', ['redis.timeout=1s']).redis,
    keys,
    timing: claimTiming(15_000),
    replica: 'me',
    createClient: () => ({
      ready: true,
      run: () => new Promise((resolve) => answers.push(() => resolve([Buffer.from('no'), Buffer.alloc(0)]))),
      connect: () => undefined,
      close: () => undefined,
    }),
    onHint: () => undefined,
    onTried: () => undefined,
    onAway: () => undefined,
    clock,
    emit: () => undefined,
  });
  return { clock, answers, exchange };
}

describe('of nodes that are asked for at the same time', () => {
  it('those beyond the first 64 wait, and were asked for when their turn came', async () => {
    const { clock, answers, exchange } = startExchange();
    const startedAtMs = clock.nowMs();
    const take = (nth: number) => exchange.take(`node-${nth}`, { kind: 'ask' }, undefined);
    const [first, ...others] = Array.from({ length: 65 }, (_, nth) => take(nth));
    clock.advance(400);
    for (const answer of answers.splice(0)) answer();
    expect(await first).toMatchObject({ got: { kind: 'no' }, sentAtMs: startedAtMs });
    await expect.poll(() => answers).toHaveLength(1);
    answers[0]?.();
    const last = others.at(-1);
    expect(await last).toMatchObject({ got: { kind: 'no' }, sentAtMs: startedAtMs + 400 });
  });
});
