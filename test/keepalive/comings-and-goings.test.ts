import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GRACE_MS, INTERVAL_MS, LEASE_MS } from '../support/shield-bench.js';
import { ShieldWalk, WALK_NODES, WALK_PATHS, type WalkStep } from '../support/shield-walk.js';

/** All graces, leases and silences are over by then. */
const CALM_MS = 2 * (GRACE_MS + LEASE_MS) + 4 * INTERVAL_MS;
/** And the longest that anything is waited for. */
const FORGOTTEN_MS = 10 * 60_000;

const node = fc.nat(WALK_NODES - 1);
const which = fc.nat(9);
const step: fc.Arbitrary<WalkStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('attach' as const),
      node,
      path: fc.constantFrom(...WALK_PATHS),
      // Some say one thing, and nothing more.
      beats: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('leave' as const),
      which,
      how: fc.constantFrom('cancelled', 'deadline', 'connection-lost', 'half-close'),
    }) as fc.Arbitrary<WalkStep>,
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.oneof(fc.nat(20), fc.nat(2_000), fc.nat(30_000), fc.constant(3 * INTERVAL_MS)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('line' as const),
      which,
      to: fc.constantFrom('good', 'mute', 'leaving', 'gone', 'new'),
    }) as fc.Arbitrary<WalkStep>,
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('mood' as const),
      mood: fc.constantFrom('well', 'slow', 'hung', 'lost-rows', 'pressed', 'no-database'),
    }) as fc.Arbitrary<WalkStep>,
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('registering' as const),
      result: fc.constantFrom('applied', 'there-already', 'unknown', 'refused', 'later'),
    }) as fc.Arbitrary<WalkStep>,
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('other' as const),
      node,
      does: fc.constantFrom(
        'yield',
        'freed',
        'reassert',
        'silent',
        'leaving',
        'forget',
        'inactive',
        'registered',
      ),
    }) as fc.Arbitrary<WalkStep>,
  },
);
const steps = fc.array(step, { minLength: 3, maxLength: 60 });

/** Never two streams of a node: the end of either would set it inactive for as long as the other lives. */
function expectOneAtMost(walk: ShieldWalk): void {
  for (const streams of walk.open()) expect(streams.length).toBeLessThanOrEqual(1);
}

function expectOpenWhileAlive(walk: ShieldWalk): void {
  expect(walk.open().map((streams) => streams.some(({ halfClosed }) => !halfClosed))).toEqual(walk.lives());
}

async function walkAll(script: readonly WalkStep[]): Promise<ShieldWalk> {
  const walk = new ShieldWalk();
  for (const one of script) {
    await walk.take(one);
    expectOneAtMost(walk);
  }
  return walk;
}

const NOTHING = { nodes: 0, timers: 0, watchers: [], streams: 0, claimed: [], unclosed: [], unanswered: 0 };

describe('whatever happens to nodes, connections, replicas and the manager, in whatever order,', () => {
  it('a node has one stream there while it lives, once all is well, and nothing is left of those that have gone', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const walk = await walkAll(script);
        await walk.calm();
        await walk.pass(CALM_MS);
        expectOpenWhileAlive(walk);
        await walk.allBeat();
        await walk.pass(CALM_MS);
        expectOpenWhileAlive(walk);
        await walk.allLeave();
        await walk.pass(FORGOTTEN_MS);
        expect(walk.leftovers()).toEqual(NOTHING);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  it('a drain ends all there is, and leaves nothing', async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, async (before, during) => {
        const walk = await walkAll(before);
        const drained = walk.bench.shield.drain(walk.bench.clock.nowMs() + 30_000);
        for (const one of during) await walk.take(one);
        await walk.pass(FORGOTTEN_MS);
        await drained;
        expect(walk.living).toEqual([]);
        expect(walk.leftovers()).toEqual(NOTHING);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
