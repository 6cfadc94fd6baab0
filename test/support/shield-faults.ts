import {
  type LocalShieldManager,
  type ShieldManager,
  startLocalManager,
  startRemoteManager,
} from './shield-manager.js';
import type { Lapse } from './shield-meter.js';
import { type ShieldWorld, settle, startShieldWorld } from './shield-world.js';
import { type Standstill, watchStandstill } from './standstill.js';

/** Not divided by a time factor: how fast the gateway dials again has nothing to do with the fleet's intervals. */
export const INACTIVE_MS = 1_500;

type World = ShieldWorld<LocalShieldManager>;

/** Something that happens between the gateway and the manager; durations of the fleet's time. */
export interface LinkFault {
  readonly name: string;
  /** What a live node may be inactive afterwards, ms of this process's time. */
  readonly limitMs: number;
  /** Resolves when the manager is reachable again. */
  inflict(world: World): Promise<void>;
}

const seconds = (ms: number): string => `${ms / 1_000} s`;

function cut(ms: number): LinkFault {
  return {
    limitMs: INACTIVE_MS,
    name: `the link is cut for ${seconds(ms)}`,
    async inflict(world) {
      world.link.cut();
      await world.pass(ms);
      world.link.heal();
    },
  };
}

function stall(ms: number): LinkFault {
  return {
    limitMs: INACTIVE_MS,
    name: `the link drops every packet for ${seconds(ms)}`,
    async inflict(world) {
      world.link.stall();
      await world.pass(ms);
      world.link.heal();
    },
  };
}

function killed(ms: number): LinkFault {
  return {
    limitMs: INACTIVE_MS,
    name: `the manager is killed, and started again after ${seconds(ms)}`,
    async inflict({ manager, pass }) {
      await manager.simulated.stop();
      await pass(ms);
      await manager.simulated.restart();
    },
  };
}

function frozen(ms: number): LinkFault {
  return {
    limitMs: INACTIVE_MS,
    name: `the manager is frozen for ${seconds(ms)}`,
    async inflict({ manager, pass }) {
      manager.freeze();
      await pass(ms);
      manager.thaw();
    },
  };
}

const GOAWAY: LinkFault = {
  limitMs: INACTIVE_MS,
  name: 'the manager tells every connection to go',
  async inflict({ manager }) {
    manager.simulated.setFault({ kind: 'connection-age' });
  },
};

const FLAPPING: LinkFault = {
  limitMs: INACTIVE_MS,
  name: 'the link breaks twenty times, 3 s apart',
  async inflict(world) {
    for (let nth = 0; nth < 20; nth++) {
      world.link.blink();
      await world.pass(3_000);
    }
  },
};

const OUT_OF_DATABASE: LinkFault = {
  limitMs: INACTIVE_MS,
  name: 'the link breaks while the database is dead for 10 s',
  async inflict(world) {
    world.manager.simulated.setFault({ kind: 'database-dead' });
    world.link.blink();
    await world.pass(10_000);
    world.manager.simulated.clearFault('database-dead');
  },
};

const OVERLOADED: LinkFault = {
  // Who is asked for less waits for up to 5 s, and what wants to be opened is let through at a lower rate for a while.
  limitMs: 7_000,
  name: 'the link breaks while the manager rejects everything for 10 s',
  async inflict(world) {
    world.manager.simulated.setFault({ kind: 'rate-limited' });
    world.link.blink();
    await world.pass(10_000);
    world.manager.simulated.clearFault('rate-limited');
  },
};

export const LINK_FAULTS: readonly LinkFault[] = [
  ...[100, 1_700, 30_000, 120_000].map(cut),
  ...[100, 1_700, 30_000, 120_000].map(stall),
  ...[0, 30_000].map(killed),
  frozen(60_000),
  GOAWAY,
  FLAPPING,
  OUT_OF_DATABASE,
  OVERLOADED,
];

/** Two looks of the gateway at every node. */
const WATCHED_MS = 80_000;
const NODES = 6;

export interface Endured {
  /** Of each node, ms of this process's time that it was not active after the manager was reachable again. */
  readonly afterMs: readonly number[];
  /** See Standstill. */
  readonly allowanceMs: number;
  /** Each lapse, for people. */
  readonly story: string;
}

/** Lets a fleet behind a gateway live through the fault, and measures from the moment the manager is reachable again. */
export async function endure(fault: LinkFault, timeFactor: number): Promise<Endured> {
  return live(await startLocalManager({ timeFactor }), timeFactor, (world) => fault.inflict(world));
}

/** The manager's process is stopped by the system, and goes on after `ms` of the fleet's time. Needs `npm run build`. */
export async function endureStop(ms: number, timeFactor: number): Promise<Endured> {
  return live(await startRemoteManager({ timeFactor }), timeFactor, async ({ manager, pass }) => {
    manager.freeze();
    await pass(ms);
    manager.thaw();
  });
}

async function live<M extends ShieldManager>(
  manager: M,
  timeFactor: number,
  inflict: (world: ShieldWorld<M>) => Promise<void>,
): Promise<Endured> {
  const world = await startShieldWorld({ manager, timeFactor, through: 'gateway', nodes: NODES });
  let standstill: Standstill | undefined;
  try {
    await settle(world);
    await inflict(world);
    standstill = watchStandstill();
    const backAtMs = performance.now();
    await world.pass(WATCHED_MS);
    const nowMs = performance.now();
    const lapses = await world.lapses(backAtMs, nowMs);
    return {
      afterMs: await world.inactive(backAtMs, nowMs),
      allowanceMs: standstill.allowanceMs,
      story: lapses.map((ofNode) => ofNode.map((lapse) => told(lapse, backAtMs)).join(', ')).join('\n'),
    };
  } finally {
    standstill?.stop();
    await world.stop();
  }
}

function told({ fromMs, toMs, cause }: Lapse, zeroMs: number): string {
  return `${cause} ${Math.round(fromMs - zeroMs)}–${Math.round(toMs - zeroMs)} ms`;
}
