import { afterEach, describe, expect, it } from 'vitest';
import { type Claimant, keyOf } from '../../support/claimant.js';
import { Claimants, until } from '../../support/claimants.js';
import { type RedisDeployment, startCluster, startSentinel } from '../../support/redis-deployments.js';

const NODE = 'scheduler-1';
const KEY = keyOf(NODE);

let deployment: RedisDeployment;
let claimants: Claimants;

afterEach(async () => {
  await claimants.stop();
  await deployment.stop();
});

async function two(leaseMs: number): Promise<[Claimant, Claimant]> {
  claimants = new Claimants(() => deployment, { leaseMs, sets: deployment.sets });
  return (await claimants.startAll(['A', 'B'])) as [Claimant, Claimant];
}

describe('replicas agree on who holds a node', () => {
  it('through a cluster, hints and all', async () => {
    deployment = await startCluster();
    const [a, b] = await two(600);
    await a.attach(NODE);
    await b.attach(NODE);
    expect(claimants.manager.log).toEqual(['+A', '-A', '+B']);
    expect(b.of('claim-taken').map(({ whence }) => whence)).toEqual(['given']);
    b.kill();
    await until(() => a.told.includes(`orphaned ${NODE}`));
    expect(claimants.manager.at(KEY)).toEqual(['A']);
  });

  it('through Sentinel, and after a failover as before it', async () => {
    deployment = await startSentinel();
    const [a, b] = await two(15_000);
    await Promise.all(['one', 'two', 'three'].map((node) => a.attach(node)));
    await deployment.master.kill();
    await until(() => [a, b].every((one) => !one.isShared));
    await b.attach('newcomer');
    // Sentinel looks for replicas every 10 s, and a failover that found none ready is tried again.
    while (![a, b].every((one) => one.isShared)) await new Promise((resolve) => setTimeout(resolve, 50));
    expect([a, b].map((one) => one.claims.counts())).toMatchObject([
      { held: 3, unshared: 0 },
      { held: 1, unshared: 0 },
    ]);
    expect([...a.told, ...b.told]).toEqual([]);
    await b.attach('one');
    expect(claimants.manager.at(keyOf('one'))).toEqual(['B']);
  }, 90_000);
});
