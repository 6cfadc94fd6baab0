import type { Redis } from 'ioredis';
import { turn } from './data-path.js';
import { type RedisProcess, type RedisProcessOptions, startRedis } from './redis-process.js';

/** Several servers that are one Redis to a gateway. */
export interface RedisDeployment {
  /** What `redis.addrs` is to name. */
  readonly address: string;
  /** What else a gateway is to be told. */
  readonly sets: readonly string[];
  /** Connections to the servers that hold data. */
  readonly clients: readonly Redis[];
  /** The one that takes writes at first. */
  readonly master: RedisProcess;
  stop(): Promise<void>;
}

type Common = Pick<RedisProcessOptions, 'tls'>;

/** A master, a follower that is up to date, and a Sentinel that knows of both. */
export async function startSentinel(common: Common = {}): Promise<RedisDeployment> {
  const master = await startRedis({
    ...common,
    password: 'p',
    args: ['--repl-diskless-sync-delay', '0'],
  });
  const follower = await startRedis({
    ...common,
    password: 'p',
    args: ['--replicaof', '127.0.0.1', String(master.port), '--masterauth', 'p'],
  });
  const client = follower.client();
  while (!(await client.info('replication')).includes('master_link_status:up'));
  const sentinel = await startRedis({
    ...common,
    sentinel: [
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel auth-pass main p',
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 2000',
      'requirepass q',
    ],
  });
  const watcher = sentinel.client({ password: 'q' });
  while (!String(await watcher.call('SENTINEL', 'replicas', 'main')).includes(String(follower.port)));
  return {
    address: sentinel.address,
    sets: ['redis.mode=sentinel', 'redis.masterName=main', 'redis.password=p', 'redis.sentinelPassword=q'],
    clients: [master.client(), client],
    master,
    stop: async () => void (await Promise.all([master, follower, sentinel].map((server) => server.stop()))),
  };
}

/** Three nodes, a third of the slots each. */
export async function startCluster(common: Common = {}): Promise<RedisDeployment> {
  const nodes = await Promise.all(
    [1, 2, 3].map(() => startRedis({ ...common, args: ['--cluster-enabled', 'yes'] })),
  );
  const clients = nodes.map((node) => node.client());
  const third = Math.ceil(16_384 / 3);
  for (const [index, client] of clients.entries()) {
    await client.call('CLUSTER', 'ADDSLOTSRANGE', index * third, Math.min(16_383, (index + 1) * third - 1));
    // Only while it knows no other.
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  for (const node of nodes) await clients[0]?.call('CLUSTER', 'MEET', '127.0.0.1', node.port);
  for (const client of clients)
    while (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await turn();
  const [first] = nodes as [RedisProcess];
  return {
    address: first.address,
    sets: ['redis.mode=cluster'],
    clients,
    master: first,
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}
