import type { Clock } from '../../rpc/clock.js';
import type {
  ApplicationRow,
  NodeKind,
  NodeState,
  ObjectStorageRow,
  SchedulerClusterRow,
  SchedulerRow,
  Scopes,
  SeedPeerClusterRow,
  SeedPeerRow,
} from './rows.js';

/** Which node; `ip` "" means the first row of that hostname. */
export type NodeName = {
  readonly kind: NodeKind;
  readonly clusterId: number;
  readonly hostname: string;
  readonly ip: string;
};

/**
 * Why a row is in a state. `late`: the inactive of a cancelled stream overtook a newer active.
 * `registered` for an UpdateScheduler that made the row, `updated` for what sets it active by registering.
 */
export type StateCause =
  | 'seeded'
  | 'registered'
  | 'updated'
  | 'keep-alive'
  | 'half-close'
  | 'cancel'
  | 'late'
  | 'sweep'
  | 'deleted';

/** One change of a node. `atMs` on the record's clock (monotonic, real time). */
export type StateChange = {
  readonly atMs: number;
  readonly state: NodeState | 'gone';
  readonly cause: StateCause;
};

export type SchedulerInput = {
  readonly hostname: string;
  readonly ip: string;
  readonly clusterId: number;
  readonly idc?: string;
  readonly location?: string;
  readonly port?: number;
  readonly features?: readonly string[];
  readonly state?: NodeState;
};

export type SeedPeerInput = {
  readonly hostname: string;
  readonly ip: string;
  readonly clusterId: number;
  readonly type?: string;
  readonly idc?: string;
  readonly location?: string;
  readonly port?: number;
  readonly downloadPort?: number;
  readonly objectStoragePort?: number;
  readonly state?: NodeState;
};

export type ClusterInput = {
  readonly name: string;
  readonly id?: number;
  readonly bio?: string;
  readonly scopes?: Scopes;
  readonly isDefault?: boolean;
  readonly config?: string;
  readonly clientConfig?: string;
  readonly seedClientConfig?: string;
};

/** What Redis holds for the managers that share it: encoded answers with the time they expire. */
export type SharedAnswer = { readonly value: Buffer; readonly expiresAtMs: number };

/** The database and the Redis behind one or several simulated managers: it outlives each of them. */
export interface ManagerRecord {
  readonly clock: Clock;
  readonly schedulerClusters: readonly SchedulerClusterRow[];
  readonly seedPeerClusters: readonly SeedPeerClusterRow[];
  readonly schedulers: readonly SchedulerRow[];
  readonly seedPeers: readonly SeedPeerRow[];
  applications: readonly ApplicationRow[];
  /** undefined: object storage is disabled. */
  objectStorage: ObjectStorageRow | undefined;
  /** Answers in Redis, by key. */
  readonly redis: Map<string, SharedAnswer>;

  /** A scheduler cluster and, with the same id and name, its seed peer cluster. Returns its id. */
  addCluster(input: ClusterInput): number;
  addScheduler(input: SchedulerInput): SchedulerRow;
  addSeedPeer(input: SeedPeerInput): SeedPeerRow;
  /** `count` active schedulers `scheduler-0`, `scheduler-1`, … with addresses in 127.0.0.0/8. */
  addSchedulers(
    count: number,
    input?: { clusterId?: number; state?: NodeState; prefix?: string },
  ): SchedulerRow[];

  findScheduler(name: Omit<NodeName, 'kind'>): SchedulerRow | undefined;
  findSeedPeer(name: Omit<NodeName, 'kind'>): SeedPeerRow | undefined;
  /** Writes the state of the row; false if there is none. Every call is kept in the history, changed or not. */
  setState(node: NodeName, state: NodeState, cause: StateCause): boolean;
  /** Hard delete. Returns how many rows went. */
  deleteNode(node: NodeName): number;

  /** Everything that was written to the state of this node, oldest first. */
  stateHistory(node: NodeName): readonly StateChange[];
  /** How many rows of this kind are active now. */
  countActive(kind: NodeKind): number;
}
