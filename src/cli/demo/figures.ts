import type { FleetStats } from '../../simulator/fleet/fleet.js';

/** As the simulated manager saw it. Lengths of time in ms of real time. */
export interface ManagerFigures {
  readonly connectionsOpen: number;
  readonly connectionsPeak: number;
  readonly connectionsTotal: number;
  readonly calls: number;
  readonly callsByMethod: Readonly<Record<string, number>>;
  /** Registered schedulers and seed peers. */
  readonly nodes: number;
  readonly nodesActive: number;
  /** Of all nodes together, and the longest time at a stretch of one. */
  readonly inactiveMs: number;
  readonly longestInactiveMs: number;
}

/** From the gateway's own /metrics: how it answered, by kind. */
export interface GatewayFigures {
  readonly hit: number;
  readonly stale: number;
  readonly miss: number;
  /** Passed through, answered by itself (health), refused. */
  readonly forwarded: number;
  readonly local: number;
  readonly refused: number;
}

/** One column of the table. `gateway` is undefined where there is none. */
export interface SideFigures {
  readonly fleet: FleetStats;
  readonly manager: ManagerFigures;
  readonly gateway: GatewayFigures | undefined;
}
