import { type Clock, systemClock } from '../../rpc/clock.js';
import type {
  ClusterInput,
  ManagerRecord,
  NodeName,
  SchedulerInput,
  SeedPeerInput,
  SharedAnswer,
  StateCause,
  StateChange,
} from './manager-record.js';
import type {
  ApplicationRow,
  NodeKind,
  NodeState,
  ObjectStorageRow,
  SchedulerClusterRow,
  SchedulerRow,
  SeedPeerClusterRow,
  SeedPeerRow,
} from './rows.js';

/** What a manager gives a new cluster. */
const DEFAULT_CONFIG = '{"candidate_parent_limit":3,"filter_parent_limit":15,"job_rate_limit":10}';
const DEFAULT_CLIENT_CONFIG = '{"load_limit":200}';
const DEFAULT_SEED_PEER_CONFIG = '{"load_limit":2000}';
export const DEFAULT_FEATURES: readonly string[] = ['schedule', 'preheat'];

type Wanted = Omit<NodeName, 'kind'>;

/** A row with the name that is looked for; without an ip the oldest one of that hostname. */
function matches(row: SchedulerRow | SeedPeerRow, wanted: Wanted): boolean {
  return (
    row.hostname === wanted.hostname &&
    row.clusterId === wanted.clusterId &&
    (wanted.ip === '' || row.ip === wanted.ip)
  );
}

/** The database and the Redis of a manager, in memory. Rows are kept in the order of their ids: oldest first. */
class MemoryRecord implements ManagerRecord {
  readonly clock: Clock;
  readonly schedulerClusters: SchedulerClusterRow[] = [];
  readonly seedPeerClusters: SeedPeerClusterRow[] = [];
  readonly schedulers: SchedulerRow[] = [];
  readonly seedPeers: SeedPeerRow[] = [];
  applications: readonly ApplicationRow[] = [];
  objectStorage: ObjectStorageRow | undefined;
  readonly redis = new Map<string, SharedAnswer>();
  readonly #history = new Map<string, StateChange[]>();
  #nextSchedulerId = 1;
  #nextSeedPeerId = 1;
  #generated = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  addCluster(input: ClusterInput): number {
    const id = input.id ?? 1 + Math.max(0, ...this.schedulerClusters.map((cluster) => cluster.id));
    const { name, bio = '' } = input;
    this.schedulerClusters.push({
      id,
      name,
      bio,
      config: input.config ?? DEFAULT_CONFIG,
      clientConfig: input.clientConfig ?? DEFAULT_CLIENT_CONFIG,
      seedClientConfig: input.seedClientConfig ?? '{}',
      scopes: input.scopes ?? {},
      isDefault: input.isDefault ?? this.schedulerClusters.length === 0,
      seedPeerClusterIds: [id],
    });
    this.seedPeerClusters.push({ id, name, bio, config: DEFAULT_SEED_PEER_CONFIG });
    return id;
  }

  addScheduler(input: SchedulerInput): SchedulerRow {
    const row: SchedulerRow = {
      id: this.#nextSchedulerId++,
      hostname: input.hostname,
      ip: input.ip,
      clusterId: input.clusterId,
      idc: input.idc ?? '',
      location: input.location ?? '',
      port: input.port ?? 8002,
      state: input.state ?? 'inactive',
      features: input.features ?? DEFAULT_FEATURES,
      lastBeatAtMs: this.clock.nowMs(),
    };
    this.schedulers.push(row);
    this.#remember({ kind: 'scheduler', ...row }, row.state, 'registered');
    return row;
  }

  addSeedPeer(input: SeedPeerInput): SeedPeerRow {
    const row: SeedPeerRow = {
      id: this.#nextSeedPeerId++,
      hostname: input.hostname,
      ip: input.ip,
      clusterId: input.clusterId,
      type: input.type ?? 'super',
      idc: input.idc ?? '',
      location: input.location ?? '',
      port: input.port ?? 65006,
      downloadPort: input.downloadPort ?? 65008,
      objectStoragePort: input.objectStoragePort ?? 0,
      state: input.state ?? 'inactive',
    };
    this.seedPeers.push(row);
    this.#remember({ kind: 'seed-peer', ...row }, row.state, 'registered');
    return row;
  }

  addSchedulers(
    count: number,
    input: { clusterId?: number; state?: NodeState; prefix?: string } = {},
  ): SchedulerRow[] {
    const { state = 'active', prefix = 'scheduler' } = input;
    const clusterId =
      input.clusterId ?? this.schedulerClusters[0]?.id ?? this.addCluster({ name: 'cluster-1' });
    return Array.from({ length: count }, (_, index) => {
      const n = ++this.#generated;
      const ip = `127.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
      return this.addScheduler({ hostname: `${prefix}-${index}`, ip, clusterId, state });
    });
  }

  findScheduler(wanted: Wanted): SchedulerRow | undefined {
    return this.schedulers.find((row) => matches(row, wanted));
  }

  findSeedPeer(wanted: Wanted): SeedPeerRow | undefined {
    return this.seedPeers.find((row) => matches(row, wanted));
  }

  setState(node: NodeName, state: NodeState, cause: StateCause): boolean {
    const row = this.#find(node);
    if (row === undefined) return false;
    row.state = state;
    this.#remember({ ...node, ip: row.ip }, state, cause);
    return true;
  }

  deleteNode(node: NodeName): number {
    const rows: (SchedulerRow | SeedPeerRow)[] = node.kind === 'scheduler' ? this.schedulers : this.seedPeers;
    const gone = rows.filter((row) => matches(row, node));
    for (const row of gone) {
      rows.splice(rows.indexOf(row), 1);
      this.#remember({ ...node, ip: row.ip }, 'gone', 'deleted');
    }
    return gone.length;
  }

  stateHistory(node: NodeName): readonly StateChange[] {
    const ip = node.ip === '' ? (this.#find(node)?.ip ?? '') : node.ip;
    return this.#history.get(historyKey({ ...node, ip })) ?? [];
  }

  countActive(kind: NodeKind): number {
    const rows = kind === 'scheduler' ? this.schedulers : this.seedPeers;
    return rows.filter((row) => row.state === 'active').length;
  }

  #find(node: NodeName): SchedulerRow | SeedPeerRow | undefined {
    return node.kind === 'scheduler' ? this.findScheduler(node) : this.findSeedPeer(node);
  }

  #remember(node: NodeName, state: NodeState | 'gone', cause: StateCause): void {
    const key = historyKey(node);
    const changes = this.#history.get(key) ?? [];
    changes.push({ atMs: this.clock.nowMs(), state, cause });
    this.#history.set(key, changes);
  }
}

function historyKey(node: NodeName): string {
  return JSON.stringify([node.kind, node.clusterId, node.hostname, node.ip]);
}

/** An empty record: no cluster, no node. */
export function createManagerRecord(clock: Clock = systemClock): ManagerRecord {
  return new MemoryRecord(clock);
}
