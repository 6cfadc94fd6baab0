import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/defaults.js';
import { type ReplicaFleet, settleFleet, startReplicaFleet } from '../support/shield-replicas.js';
import { freezeOne, killOne, rollingRestart } from '../support/shield-rollouts.js';

/** Every replica a process, and a manager and a Redis beside them. The full number of nodes: ./test/run --hard. */
const TIME_FACTOR = 10;
const NODES = 30;
const LEASE_MS = defaultConfig().keepAlive.leaseMs / TIME_FACTOR;

// One fleet, one story: in the order in which they stand.
let fleet: ReplicaFleet;
beforeAll(async () => {
  fleet = await startReplicaFleet({ replicas: 3, nodes: NODES, timeFactor: TIME_FACTOR });
  await settleFleet(fleet);
}, 90_000);
afterAll(() => fleet.stop());

it('a rolling restart of three replicas costs no node more than 1.5 s in all', async () => {
  const { inactiveMs, allowanceMs, story } = await rollingRestart(fleet, TIME_FACTOR);
  expect(Math.max(...inactiveMs), story).toBeLessThanOrEqual(1_500 + allowanceMs);
}, 90_000);

it('a replica that is frozen for 60 s and woken costs no node more than the lease and 2 s', async () => {
  const { inactiveMs, allowanceMs, story } = await freezeOne(fleet, TIME_FACTOR);
  expect(Math.max(...inactiveMs), story).toBeLessThanOrEqual(LEASE_MS + 2_000 + allowanceMs);
}, 90_000);

it('kill -9 of a replica costs no node more than the lease and 2 s', async () => {
  await fleet.add();
  const { inactiveMs, allowanceMs, story } = await killOne(fleet, TIME_FACTOR);
  // It was not for nothing: the manager saw its connections end.
  expect(Math.max(...inactiveMs)).toBeGreaterThan(0);
  expect(Math.max(...inactiveMs), story).toBeLessThanOrEqual(LEASE_MS + 2_000 + allowanceMs);
}, 90_000);
