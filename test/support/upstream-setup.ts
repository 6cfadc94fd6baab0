import { afterEach } from 'vitest';
import type { UpstreamOptions } from '../../src/upstream/create-upstream.js';
import { UpstreamHarness } from './upstream-harness.js';
import { type ManagerBehaviour, TestManager } from './upstream-manager.js';

const cleanUps: (() => Promise<unknown>)[] = [];

/** Call once per test file. Later ones are cleaned up first. */
export function cleanUpAfterEach(): void {
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });
}

export function cleanUpLater(cleanUp: () => Promise<unknown>): void {
  cleanUps.push(cleanUp);
}

export async function startManager(behaviour: ManagerBehaviour = {}): Promise<TestManager> {
  const manager = await TestManager.start(behaviour);
  cleanUpLater(() => manager.kill());
  return manager;
}

type Managers = ConstructorParameters<typeof UpstreamHarness>[0];

export function startUpstream(managers: Managers, options: Partial<UpstreamOptions> = {}): UpstreamHarness {
  const harness = new UpstreamHarness(managers, options);
  cleanUpLater(() => harness.stop());
  return harness;
}

/** One manager and an upstream that has reached it. */
export async function setUp(behaviour: ManagerBehaviour = {}, more: Partial<Managers> = {}) {
  const manager = await startManager(behaviour);
  const harness = startUpstream({ addrs: [manager.port], ...more });
  await harness.settled();
  return { manager, harness, upstream: harness.upstream };
}
