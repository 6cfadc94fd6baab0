/** Who calls, as far as it decides what they cost. Counts are whole numbers; times in ms. */
export type Fleet = {
  /** Rust daemons, Rust seed peers among them: those open no KeepAlive stream. */
  readonly daemons: number;
  /** dfget daemons of v2.1.x. */
  readonly dfgetDaemons: number;
  readonly schedulers: number;
  /** dfget daemons of v2.1.x that are seed peers, with a KeepAlive stream each. */
  readonly seedPeers: number;
  /** Pairs of idc and location: where lists are shared, each is asked for once. */
  readonly places: number;
  /** `own`: a cluster declares hostnames (or cidrs), the manager shows no scopes, or `cache.sharing` is exact. */
  readonly lists: 'shared' | 'own';
  /** How often a Rust daemon asks for its list. */
  readonly pollMs: number;
  /** All of them start within this. */
  readonly startWithinMs: number;
  /** Processes of the manager. */
  readonly managers: number;
};

/** What is configured, as far as it decides what is asked. */
export type Settings = {
  readonly maxConnections: number;
  readonly channelsPerAddr: number;
  readonly probeIntervalMs: number;
  readonly breakerResetMs: number;
  readonly reconcileMs: number;
  readonly cacheMaxBytes: number;
  readonly listTtlMs: number;
  readonly ownListTtlMs: number;
  readonly applicationsTtlMs: number;
  readonly schedulerTtlMs: number;
};

/** Nodes whose KeepAlive streams the gateway holds. */
export function nodesOf({ schedulers, seedPeers }: Fleet): number {
  return schedulers + seedPeers;
}

/** One connection each, once they have started. */
export function connectionsOf(fleet: Fleet): number {
  return fleet.daemons + fleet.dfgetDaemons + nodesOf(fleet);
}
