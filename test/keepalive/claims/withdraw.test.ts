import { expect, it } from 'vitest';
import { createRedisClaims } from '../../../src/keepalive/claims/redis-claims.js';
import { LOOK, RELEASE, TAKE } from '../../../src/keepalive/claims/scripts.js';
import type { Script } from '../../../src/redis/script.js';
import { systemClock } from '../../../src/rpc/clock.js';
import { keyOf, recordOf } from '../../support/claimant.js';
import { configOf, turn } from '../../support/data-path.js';
import { until } from '../../support/until.js';

const NODE = 'scheduler-1';
const KEY = keyOf(NODE);
const said = (...texts: readonly string[]): Buffer[] => texts.map((one) => Buffer.from(one));

it('a node that left while it was being taken is given up at Redis as soon as it can be told', async () => {
  let away = false;
  let taken: ((reply: Buffer[]) => void) | undefined;
  const released: string[][] = [];
  const answer = (script: Script, args: readonly (string | Buffer)[]): unknown => {
    if (script === TAKE)
      return new Promise<Buffer[]>((resolve) => {
        taken = resolve;
      });
    if (away) throw new Error('gone');
    if (script === LOOK)
      return [[], [], args.slice(11).flatMap(() => said('', '')), [], ...said('0', '1', 'id 1', '1')];
    if (script === RELEASE) released.push(args.slice(6).map(String));
    return Buffer.from('1');
  };
  const config = configOf('', ['fleet.id=f', 'redis.addrs=["127.0.0.1:1"]', 'redis.timeout=10s']);
  const claims = createRedisClaims({
    config: config.redis,
    leaseMs: 900,
    fleetId: 'f',
    takesOver: () => true,
    clock: systemClock,
    emit: () => undefined,
    createClient: ({ onReady }) => ({
      ready: true,
      connect: onReady,
      close: () => undefined,
      run: async (script, _, args) => answer(script, args),
    }),
  });
  claims.start({
    yield: () => Promise.resolve(),
    reassert: () => undefined,
    orphaned: () => undefined,
    freed: () => undefined,
  });
  const done = claims.take(recordOf(NODE));
  await until('it is asked for', () => taken !== undefined);
  await claims.release(KEY);
  await done;
  expect(released).toEqual([[KEY]]);
  away = true;
  // Heard there after the release.
  taken?.(said('yours', '7', 'nobody', '', ''));
  await turn();
  away = false;
  await until('Redis is told', () => released.length === 2);
  expect(released[1]).toEqual([KEY]);
  await claims.stop();
});
