import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultConfig } from '../../src/config/defaults.js';
import { type GatewayProcess, runGateway } from './gateway-process.js';
import { type RedisProcess, startRedis } from './redis-process.js';
import { type ShieldManager, startRemoteManager } from './shield-manager.js';
import { type Lapse, lapsesBetween } from './shield-meter.js';
import { ShieldNode } from './shield-node.js';
import { ShieldRelay } from './shield-relay.js';
import { allActive, member, scaledSettings } from './shield-world.js';

/** One gateway as it runs in a pod: the built command, with a directory of its own. Needs `npm run build`. */
export interface ReplicaProcess {
  readonly name: string;
  readonly address: string;
  readonly process: GatewayProcess;
}

/** Gateways that share a Redis, behind one address that nodes dial, in front of one manager; each in its own process. */
export interface ReplicaFleet {
  readonly manager: ShieldManager;
  readonly service: ShieldRelay;
  readonly nodes: readonly ShieldNode[];
  /** Those that the service sends connections to. */
  readonly ready: readonly ReplicaProcess[];
  /** A new pod, ready. */
  add(): Promise<ReplicaProcess>;
  /** The service sends it no more connections; those it has stay. */
  withdraw(replica: ReplicaProcess): void;
  lapses(fromMs: number, toMs: number): Promise<Lapse[][]>;
  allActive(limitMs: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startReplicaFleet(options: {
  readonly replicas: number;
  readonly nodes: number;
  readonly timeFactor: number;
  readonly sets?: readonly string[];
  /** `none`: a gateway that stands alone. */
  readonly redis?: 'shared' | 'none';
}): Promise<ReplicaFleet> {
  const { timeFactor, redis: sharing = 'shared' } = options;
  const manager = await startRemoteManager({ timeFactor });
  const redis = sharing === 'none' ? undefined : await startRedis();
  const service = await ShieldRelay.start();
  const all: ReplicaProcess[] = [];
  let ready: ReplicaProcess[] = [];
  const route = (): void => service.retarget(...ready.map(({ address }) => address));
  const directory = await mkdtemp(join(tmpdir(), 'dfmgw-shield-'));
  const add = async (): Promise<ReplicaProcess> => {
    const name = `replica-${all.length}`;
    const replica = await startReplica(name, [
      ...scaledSettings(timeFactor),
      // What is still to be said to all nodes takes a busy machine as long as it takes.
      `server.drainTimeout=${Math.max(10_000, defaultConfig().server.drainTimeoutMs / timeFactor)}ms`,
      `managers.addrs=["${manager.address}"]`,
      `snapshot.dir=${join(directory, name)}`,
      ...redisSettings(redis),
      ...(options.sets ?? []),
    ]);
    all.push(replica);
    ready.push(replica);
    route();
    return replica;
  };
  await Promise.all(Array.from({ length: options.replicas }, add));
  const nodes = Array.from(
    { length: options.nodes },
    (_, number) => new ShieldNode({ ...member(number), address: service.address, timeFactor }),
  );
  const names = nodes.map(({ name }) => name);
  return {
    manager,
    service,
    nodes,
    get ready() {
      return ready;
    },
    add,
    withdraw(replica) {
      ready = ready.filter((one) => one !== replica);
      route();
    },
    async lapses(fromMs, toMs) {
      return (await manager.histories(names)).map((history) => lapsesBetween(history, fromMs, toMs));
    },
    allActive: (limitMs) => allActive(manager, names, limitMs),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await Promise.all(all.map(end));
      await Promise.all([service.stop(), redis?.stop(), manager.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function redisSettings(redis: RedisProcess | undefined): string[] {
  return redis === undefined
    ? []
    : [`redis.addrs=["${redis.address}"]`, 'fleet.id=shield', 'redis.timeout=1s'];
}

async function startReplica(name: string, settings: readonly string[]): Promise<ReplicaProcess> {
  const fixed = ['server.listen=127.0.0.1:0', 'metrics.addr=127.0.0.1:0', 'admin.enable=false'];
  const flags = [...fixed, ...settings].flatMap((setting) => ['--set', setting]);
  const process = runGateway(['serve', '--config', '/dev/null', ...flags]);
  const { listen } = await process.line({ event: 'started' });
  await process.line({ event: 'address-state-changed', to: 'healthy' });
  return { name, address: String(listen), process };
}

async function end({ process: { child, exited } }: ReplicaProcess): Promise<void> {
  child.kill('SIGKILL');
  await exited;
}

/** Starts nodes a few at a time, as pods come up, and waits until all are active. */
export async function settleFleet(fleet: ReplicaFleet): Promise<void> {
  const waiting = [...fleet.nodes];
  const worker = async (): Promise<void> => {
    for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) await node.start();
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  await fleet.allActive(60_000);
}
