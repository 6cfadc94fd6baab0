import { afterEach, expect, it } from 'vitest';
import { defaultConfig } from '../../../src/config/defaults.js';
import { type ReplicaFleet, settleFleet, startReplicaFleet } from '../../support/shield-replicas.js';
import {
  freezeManager,
  freezeOne,
  killOne,
  type Outcome,
  rollingRestart,
} from '../../support/shield-rollouts.js';

const REAL_TIME = 1;
const NODES = 500;
const LIMIT_MS = 600_000;
const LEASE_MS = defaultConfig().keepAlive.leaseMs;

let fleet: ReplicaFleet;
afterEach(() => fleet.stop());

async function threeReplicas(
  play: (fleet: ReplicaFleet, timeFactor: number) => Promise<Outcome>,
): Promise<Outcome> {
  fleet = await startReplicaFleet({ replicas: 3, nodes: NODES, timeFactor: REAL_TIME });
  await settleFleet(fleet);
  const outcome = await play(fleet, REAL_TIME);
  const sorted = [...outcome.inactiveMs].sort((a, b) => a - b);
  const touched = sorted.filter((ms) => ms > 0).length;
  process.stdout.write(
    `${play.name}: ${touched} of ${NODES} nodes were inactive, ${Math.round(sorted.at(-1) ?? 0)} ms at the most (${outcome.story.split('\n').at(-1)})\n`,
  );
  return outcome;
}

it(
  `in real time, a rolling restart of three replicas under ${NODES} nodes costs none more than 1.5 s in all`,
  async () => {
    const { inactiveMs, allowanceMs, story } = await threeReplicas(rollingRestart);
    expect(Math.max(...inactiveMs), story).toBeLessThanOrEqual(1_500 + allowanceMs);
  },
  LIMIT_MS,
);

it(
  'in real time, kill -9 of a replica costs no node more than the lease and 2 s',
  async () => {
    const { inactiveMs, allowanceMs, story } = await threeReplicas(killOne);
    expect(Math.max(...inactiveMs), story).toBeLessThanOrEqual(LEASE_MS + 2_000 + allowanceMs);
  },
  LIMIT_MS,
);

it(
  'in real time, a replica that is frozen for 60 s and woken costs no node more than the lease and 2 s',
  async () => {
    const { inactiveMs, allowanceMs, story } = await threeReplicas(freezeOne);
    expect(Math.max(...inactiveMs), story).toBeLessThanOrEqual(LEASE_MS + 2_000 + allowanceMs);
  },
  LIMIT_MS,
);

it(
  `in real time, a manager that is frozen for 60 s under ${NODES} nodes of three replicas costs none more than 1.5 s in all`,
  async () => {
    const { inactiveMs, allowanceMs, story } = await threeReplicas(freezeManager);
    expect(Math.max(...inactiveMs), story).toBeLessThanOrEqual(1_500 + allowanceMs);
  },
  LIMIT_MS,
);
