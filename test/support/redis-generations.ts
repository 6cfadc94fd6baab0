import type { Redis } from 'ioredis';

/** Redis is as it has been for long: nobody waits for what others may have to tell it first. */
export async function asForLong(client: Redis, of: 'registrations' | 'claims'): Promise<void> {
  const id = /master_replid:(\w+)/.exec(await client.info('replication'))?.[1];
  await client.set(`dfmgw:1:{f1}:${of}:generation`, `${id} 1`);
}

/** All that a Redis keeps, for one that is to know no more later. */
export type Kept = readonly (readonly [key: string, value: Buffer, expiresInMs: number])[];

export async function keptBy(client: Redis): Promise<Kept> {
  const keys = await client.keys('*');
  return Promise.all(
    keys.map(
      async (key) => [key, await client.dumpBuffer(key), Math.max(0, await client.pttl(key))] as const,
    ),
  );
}

/** As a follower that lagged behind becomes the master of a cluster's shard: it knows what was known then, and no connection of a client's ends. */
export async function laggingFollowerPromoted(client: Redis, kept: Kept): Promise<void> {
  await client.replicaof('127.0.0.1', 1);
  await client.replicaof('NO', 'ONE');
  const all = client.multi().flushall();
  for (const [key, value, expiresInMs] of kept) all.restore(key, expiresInMs, value);
  await all.exec();
}
