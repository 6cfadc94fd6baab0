import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPLICAS } from '../settings.js';
import { startKeeper } from './keeper.js';
import { type Managers, type ManagersListener, startManagers } from './managers.js';
import { type RedisStage, startRedisStage } from './redis.js';
import { createReplica, type Replica } from './replica.js';
import { type Link, startToxiproxy, type Toxiproxy } from './toxiproxy.js';

/**
 * Everything there is but callers and nodes, each a process of its own, and a link of toxiproxy's on every way between two of them:
 *
 *     callers ─ links ─▶ 3 replicas ─ links ─▶ 2 managers on one record
 *     nodes   ─ links ─▶     └─ links ─▶ 3 Sentinels, 2 Redis servers (which know each other by links, too)
 */
export interface Stage {
  readonly toxiproxy: Toxiproxy;
  readonly managers: Managers;
  readonly redis: RedisStage;
  readonly replicas: readonly Replica[];
  /** By replica, then by manager. */
  readonly managerLinks: readonly (readonly Link[])[];
  /** By replica. */
  readonly callerLinks: readonly Link[];
  readonly nodeLinks: readonly Link[];
  stop(): Promise<void>;
}

export interface StageOptions extends ManagersListener {
  readonly seed: number;
  /** Where logs are left. */
  readonly logs: string;
  died(name: string, code: number | string, stderr: string): void;
}

export async function startStage(options: StageOptions): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'dfmgw-walk-'));
  const keeper = startKeeper(directory);
  let redis: RedisStage | undefined;
  const stop = async (): Promise<void> => {
    await redis?.stop();
    await keeper.stop();
  };
  try {
    const toxiproxy = await startToxiproxy(keeper);
    const managers = await startManagers(keeper, options.seed, options);
    redis = await startRedisStage(toxiproxy, keeper);
    const { sentinelAddresses: sentinels } = redis;
    const each = <T>(make: (index: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: REPLICAS }, (_, index) => make(index)));
    const managerLinks = await each((index) =>
      Promise.all(managers.addresses.map((to, manager) => toxiproxy.link(`manager-${index}-${manager}`, to))),
    );
    const replicas = await each((index) =>
      createReplica({
        ...options,
        ...{ index, directory, keeper, sentinels },
        managers: managerLinks[index]?.map(({ address }) => address) ?? [],
      }),
    );
    await Promise.all(replicas.map((replica) => replica.start()));
    const linksTo = (from: string) =>
      each((index) => toxiproxy.link(`${from}-${index}`, replicas[index]?.address ?? ''));
    const [callerLinks, nodeLinks] = [await linksTo('caller'), await linksTo('node')];
    return { toxiproxy, managers, redis, replicas, managerLinks, callerLinks, nodeLinks, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
