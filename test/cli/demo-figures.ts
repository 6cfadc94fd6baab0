import type { SideFigures } from '../../src/cli/demo/figures.js';

type Changes = {
  fleet?: Partial<SideFigures['fleet']>;
  manager?: Partial<SideFigures['manager']>;
  gateway?: SideFigures['gateway'];
};

/** A column as good as it gets, with what a test wants otherwise. Real time is a tenth of the fleet's. */
export function side(changes: Changes = {}): SideFigures {
  return {
    fleet: {
      calls: {
        known: { answered: 1_000, empty: 0, failed: 0 },
        cold: { answered: 10, empty: 0, failed: 0 },
      },
      callsByMethod: {},
      failuresByCode: {},
      latencyP50Ms: 1.25,
      latencyP99Ms: 51,
      daemonExits: { known: 0, cold: 0 },
      schedulerExits: 0,
      daemons: { idle: 0, running: 205, 'back-off': 0, stopped: 0 },
      daemonsWithoutSchedulers: 0,
      longestWithoutSchedulersMs: { known: 100, cold: 30_000 },
      withoutConfigurationMs: 400,
      longestWithoutConfigurationMs: 120,
      schedulersConfigured: 4,
      streamsOpened: 5,
      streamsBroken: 0,
      channelsOpened: 400,
      ...changes.fleet,
    },
    manager: {
      connectionsOpen: 2,
      connectionsPeak: 2,
      connectionsTotal: 6,
      calls: 300,
      callsByMethod: {},
      nodes: 5,
      nodesActive: 5,
      inactiveMs: 3_000,
      longestInactiveMs: 700,
      ...changes.manager,
    },
    gateway: changes.gateway,
  };
}

/** The column without a gateway: the incident hurt. */
export function hurt(): SideFigures {
  return side({
    fleet: {
      calls: { known: { answered: 600, empty: 1, failed: 399 }, cold: { answered: 0, empty: 0, failed: 9 } },
      streamsBroken: 113,
    },
    manager: { calls: 1_000, connectionsPeak: 210, connectionsTotal: 970, inactiveMs: 30_000 },
  });
}

/** The column with one that holds. */
export function held(changes: Changes = {}): SideFigures {
  return side({
    gateway: { hit: 900, stale: 700, miss: 600, forwarded: 90, local: 200, refused: 0 },
    ...changes,
  });
}
