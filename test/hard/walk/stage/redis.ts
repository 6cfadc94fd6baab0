import type { Redis } from 'ioredis';
import { freePort } from '../../../../src/simulator/free-port.js';
import { type RedisProcess, startRedis } from '../../../support/redis-process.js';
import { until } from '../../../support/until.js';
import type { Keeper } from './keeper.js';
import type { Link, Toxiproxy } from './toxiproxy.js';

const SERVERS = 2;
const SENTINELS = 3;
/** A Sentinel that was held up for two seconds does nothing for thirty. */
const SETTLED_LIMIT_MS = 40_000;
const HURRY = ['info-period', '1000', 'publish-period', '300', 'ask-period', '300'];
const STEP_LIMIT_MS = 1_000;
const QUICK = { connectTimeout: STEP_LIMIT_MS, commandTimeout: STEP_LIMIT_MS, maxRetriesPerRequest: 0 };

/** A master, a follower and three Sentinels, known to each other and to everybody by links. */
export interface RedisStage {
  readonly sentinelAddresses: readonly string[];
  readonly links: readonly Link[];
  readonly servers: readonly RedisProcess[];
  readonly sentinels: readonly RedisProcess[];
  /** Which of the servers Sentinel calls the master; -1: it does not say. */
  master(): Promise<number>;
  /** Resolves when all Sentinels name one master, which takes writes, and the other server follows it; false: not in time. */
  settled(): Promise<boolean>;
  failover(): Promise<void>;
  forget(): Promise<void>;
  /** Servers save what they know. Resolves with what kills them both and starts them again with that. */
  save(): Promise<() => Promise<void>>;
  /** NaN: it does not say. */
  connections(): Promise<number>;
  /** Of those that were started again. */
  keep(): void;
  stop(): Promise<void>;
}

export async function startRedisStage(toxiproxy: Toxiproxy, keeper: Keeper): Promise<RedisStage> {
  const placed = async (name: string): Promise<Placed> => {
    const port = await freePort();
    return { port, link: await toxiproxy.link(name, `127.0.0.1:${port}`) };
  };
  const places = (prefix: string, count: number): Promise<Placed[]> =>
    Promise.all(Array.from({ length: count }, (_, index) => placed(`${prefix}-${index}`)));
  const data = await places('redis', SERVERS);
  const watch = await places('sentinel', SENTINELS);
  const [first] = data as [Placed];
  const servers = await Promise.all(
    data.map(({ port, link }) =>
      startRedis({ port, args: serverArgs(link, link === first.link ? undefined : first.link) }),
    ),
  );
  const sentinels = await Promise.all(
    watch.map(({ port, link }) => startRedis({ port, sentinel: sentinelLines(link, first.link) })),
  );
  const stage = stageOf({ servers, sentinels, keeper, links: data.map(({ link }) => link) });
  stage.keep();
  if (!(await stage.settled())) throw new Error('Redis has no master, or no follower');
  const all = [...data, ...watch].map(({ link }) => link);
  return { ...stage, links: all, sentinelAddresses: watch.map(({ link }) => link.address) };
}

interface Placed {
  readonly port: number;
  readonly link: Link;
}

interface Parts {
  readonly servers: readonly RedisProcess[];
  readonly sentinels: readonly RedisProcess[];
  /** Of the servers. */
  readonly links: readonly Link[];
  readonly keeper: Keeper;
}

function stageOf({
  servers,
  sentinels,
  links,
  keeper,
}: Parts): Omit<RedisStage, 'links' | 'sentinelAddresses'> {
  const clients = servers.map((server) => server.client(QUICK));
  const askers = sentinels.map((server) => server.client(QUICK));
  const master = async (): Promise<number> => {
    const named = await orElse(
      firstOf(askers, (asker) => asker.call(...WHO)),
      ['', '0'],
    );
    return links.findIndex(({ port }) => port === portOf(named));
  };
  const keep = (): void => {
    for (const { child } of [...servers, ...sentinels]) keeper.keep(child);
    // Since Redis 7; else a master of before is told ten seconds later that it is none.
    for (const asker of askers) asker.call('SENTINEL', 'DEBUG', ...HURRY).catch(() => undefined);
  };
  return {
    servers,
    sentinels,
    master,
    settled: () =>
      until('Redis has come to rest', () => isSettled(askers, clients, links), SETTLED_LIMIT_MS).then(
        () => true,
        () => false,
      ),
    async failover() {
      await orElse(
        firstOf(askers, (asker) => asker.call('SENTINEL', 'FAILOVER', 'main')),
        undefined,
      );
    },
    async forget() {
      await orElse(clients[await master()]?.flushall(), undefined);
    },
    async save() {
      await Promise.all(clients.map((client) => orElse(client.save(), undefined)));
      return async () => {
        await Promise.all(servers.map((server) => server.kill()));
        // Who is killed again meanwhile is started again by who has killed it.
        await Promise.all(servers.map((server) => orElse(server.restart(), undefined)));
        await Promise.all(servers.map((server) => server.loseDump()));
        keep();
      };
    },
    async connections() {
      const info = await orElse(clients[await master()]?.info('clients'), undefined);
      return Number(/connected_clients:(\d+)/.exec(info ?? '')?.[1]);
    },
    keep,
    stop: async () => void (await Promise.all([...servers, ...sentinels].map((server) => server.stop()))),
  };
}

async function isSettled(
  askers: readonly Redis[],
  clients: readonly Redis[],
  links: readonly Link[],
): Promise<boolean> {
  try {
    const named = await Promise.all(askers.map(async (asker) => portOf(await asker.call(...WHO))));
    const master = links.findIndex(({ port }) => port === named[0]);
    if (named.some((port) => port !== named[0])) return false;
    await clients[master]?.set('walk', '1');
    const roles = await Promise.all(clients.map((client) => client.info('replication')));
    return roles.every((role, index) =>
      role.includes(index === master ? 'role:master' : 'master_link_status:up'),
    );
  } catch {
    // Not yet: one of them is not there, or not what it is taken for.
    return false;
  }
}

const WHO = ['SENTINEL', 'get-master-addr-by-name', 'main'] as const;

function portOf(named: unknown): number {
  const [, port] = named as [string, string];
  return Number(port);
}

/** Another fault may have been there before: what is frozen, or fails over already, takes no orders. */
async function orElse<T, E>(answer: Promise<T> | undefined, otherwise: E): Promise<T | E> {
  try {
    return (await answer) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Of the first that answers. */
async function firstOf<T>(askers: readonly Redis[], ask: (asker: Redis) => Promise<T>): Promise<T> {
  return Promise.any(askers.map(ask));
}

function serverArgs(link: Link, master: Link | undefined): string[] {
  return [
    ...['--replica-announce-ip', '127.0.0.1', '--replica-announce-port', String(link.port)],
    // Else one that is started again begins with what it was sent minutes ago, which is another fault than to have lost it.
    ...['--rdb-del-sync-files', 'yes', '--repl-diskless-load', 'swapdb'],
    ...['--repl-diskless-sync-delay', '0', '--repl-timeout', '5', '--repl-ping-replica-period', '1'],
    ...(master === undefined ? [] : ['--replicaof', '127.0.0.1', String(master.port)]),
  ];
}

function sentinelLines(link: Link, master: Link): string[] {
  return [
    'sentinel announce-ip 127.0.0.1',
    `sentinel announce-port ${link.port}`,
    `sentinel monitor main 127.0.0.1 ${master.port} 2`,
    'sentinel down-after-milliseconds main 800',
    'sentinel failover-timeout main 3000',
  ];
}
