import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type Attacked, startAttacked } from './promises-attacked.js';
import { until } from './until.js';

const PATIENCE_MS = 25_000;
let current: Attacked | undefined;
let descriptorsBefore = 0;

/** The one of the group that runs. */
export function attacked(): Attacked {
  if (current === undefined) throw new Error('no gateway is under attack');
  return current;
}

/** All of its channels are up, and both sides count the same connections. */
async function isAtRest(): Promise<boolean> {
  const { manager, others } = attacked();
  const channels = await attacked().sum('upstream_channels');
  const ready = await attacked().sum('upstream_channels_ready');
  const callers = await attacked().metric('downstream_connections');
  return (
    ready > 0 &&
    [channels, manager.stats.connectionsOpen].every((count) => count === ready) &&
    callers === others.count
  );
}

/** A gateway for the tests of one group; after each of them, nothing is to be left of what was done to it. */
export function underAttack(sets: readonly string[]): void {
  beforeAll(async () => {
    current = await startAttacked(sets);
    expect(await attacked().others.complaints()).toEqual([]);
    // What opens later would look like something that was left.
    await until('it has come to rest', isAtRest, PATIENCE_MS);
    descriptorsBefore = attacked().openDescriptors();
  });

  afterEach(async () => {
    const { others, manager } = attacked();
    expect(await others.complaints()).toEqual([]);
    expect(attacked().running).toBe(true);
    expect(attacked().faults()).toEqual([]);
    const patience = { timeout: PATIENCE_MS };
    await expect.poll(() => attacked().metric('downstream_connections'), patience).toBe(others.count);
    await expect.poll(() => attacked().openDescriptors(), patience).toBeLessThanOrEqual(descriptorsBefore);
    // The others' own calls come and go.
    await expect.poll(() => manager.stats.callsOpen, patience).toBeLessThanOrEqual(others.count);
  });

  afterAll(async () => {
    expect(await attacked().stop()).toBe(0);
  });
}
