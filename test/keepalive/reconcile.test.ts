import { describe, expect, it } from 'vitest';
import type { HeldNode, ReplayResult } from '../../src/keepalive/context.js';
import type { NodeRecord } from '../../src/keepalive/node.js';
import { createReconcile } from '../../src/keepalive/reconcile.js';
import type { LookDepth, Sighting } from '../../src/keepalive/witness.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import type { Line, LineState } from '../../src/upstream/line.js';
import { ManualClock } from '../support/manual-clock.js';

const ACTIVE: Sighting = { kind: 'active', by: 'row' };
const INACTIVE: Sighting = { kind: 'inactive', by: 'row' };
const GONE: Sighting = { kind: 'gone', by: 'row' };
const MINUTE_MS = 60_000;

const lineOf = (state: LineState): Line => ({ manager: '0', address: '127.0.0.1:1', state }) as Line;

/** A node whose stream is replaced as soon as it is asked for. */
class Held implements HeldNode {
  readonly key: string;
  readonly record: NodeRecord;
  alive = true;
  line: Line | undefined = lineOf('good');
  openedAtMs: number;
  readonly replaced: string[] = [];
  onReplace: () => void = () => undefined;

  constructor(hostname: string, openedAtMs: number) {
    this.key = hostname;
    this.openedAtMs = openedAtMs;
    this.record = {
      node: { kind: 'scheduler', source: 'SCHEDULER_SOURCE', clusterId: '1', hostname, ip: '127.0.0.3' },
      path: '/manager.v2.Manager/KeepAlive',
      first: Buffer.from('first'),
      intervalMs: 5_000,
    };
  }

  replace(reason: string): void {
    this.replaced.push(reason);
    this.onReplace();
  }
}

interface Look {
  readonly atMs: number;
  readonly hostname: string;
  readonly over: string;
  readonly depth: LookDepth;
}

/** What the manager says, how long it takes, and what becomes of a registration that is sent again. */
interface Script {
  says: Sighting;
  latencyMs: number;
  replay: ReplayResult;
}

function bench() {
  const clock = new ManualClock();
  const events: GatewayEvent[] = [];
  const looks: Look[] = [];
  const replayed: unknown[] = [];
  const script: Script = { says: ACTIVE, latencyMs: 0, replay: 'applied' };
  const reconcile = createReconcile({
    witness: {
      async look({ node }, line, depth) {
        looks.push({ atMs: clock.nowMs(), hostname: node.hostname, over: line.address, depth });
        const { latencyMs, says } = script;
        if (latencyMs > 0) await new Promise<void>((resolve) => clock.setTimer(latencyMs, resolve));
        return says;
      },
    },
    lineTo: (address) => ({ ...lineOf('good'), address }) as Line,
    replayNode(node) {
      replayed.push(node);
      return Promise.resolve(script.replay);
    },
    reconcileMs: 30_000,
    clock,
    random: () => 0,
    emit: (event) => events.push(event),
  });
  return Object.assign(script, {
    clock,
    events,
    looks,
    replayed,
    reconcile,
    /** A node whose stream is opened now. */
    open(hostname = 'sched'): Held {
      const held = new Held(hostname, clock.nowMs());
      held.onReplace = () => {
        held.openedAtMs = clock.nowMs();
        reconcile.opened(held);
      };
      reconcile.opened(held);
      return held;
    },
    of: (kind: GatewayEvent['kind']) => events.filter((event) => event.kind === kind),
  });
}

describe('reconciling', () => {
  it('looks behind an opening and then in time, and what it saw can be read', async () => {
    const { clock, looks, open, reconcile, of } = bench();
    open();
    expect(reconcile.viewOf('sched')).toBeUndefined();
    await clock.advanceAsync(50_000);
    expect(looks.map(({ atMs }) => atMs - 1_000)).toEqual([200, 500, 1_000, 2_000, 5_000, 15_000, 39_000]);
    expect(looks.map(({ depth }) => depth)).toEqual([...Array(5).fill('usual'), 'past-caches', 'usual']);
    expect(reconcile.viewOf('sched')).toEqual({
      says: 'active',
      atMs: 40_000,
      detail: '',
      disputedSinceMs: undefined,
    });
    expect(of('node-looked-at')).toHaveLength(7);
  });

  it('replaces the stream of a live node that is inactive, says so once, and tells how long it was', async () => {
    const world = bench();
    const held = world.open();
    await world.clock.advanceAsync(20_000);
    world.says = INACTIVE;
    await world.clock.advanceAsync(19_000);
    expect(held.replaced).toEqual(['inactive']);
    expect(world.reconcile.viewOf('sched')).toMatchObject({ says: 'inactive', disputedSinceMs: 40_000 });
    // Another end may have been written behind the opening; but two who disagree for good must not make a node flap.
    await world.clock.advanceAsync(9 * MINUTE_MS);
    expect(held.replaced).toHaveLength(3);
    await world.clock.advanceAsync(2 * MINUTE_MS);
    expect(held.replaced).toHaveLength(4);
    expect(world.of('node-disputed')).toEqual([
      { kind: 'node-disputed', node: 'scheduler', says: 'inactive' },
    ]);
    world.says = ACTIVE;
    await world.clock.advanceAsync(MINUTE_MS);
    expect(world.of('node-settled')).toHaveLength(1);
  });

  it('looks again before it believes an "inactive" right behind the opening', async () => {
    const world = bench();
    const held = world.open();
    world.says = INACTIVE;
    await world.clock.advanceAsync(200);
    expect(held.replaced).toEqual([]);
    await world.clock.advanceAsync(150);
    expect(held.replaced).toEqual(['inactive']);
    expect(world.looks.map(({ atMs }) => atMs - 1_000)).toEqual([200, 350]);
  });

  it('lets a node be that is not alive, and one whose connection is not good or not there', async () => {
    const world = bench();
    world.says = INACTIVE;
    const [dead, mute, without] = ['dead', 'mute', 'without'].map((hostname) => world.open(hostname)) as [
      Held,
      Held,
      Held,
    ];
    dead.alive = false;
    mute.line = lineOf('mute');
    without.line = undefined;
    await world.clock.advanceAsync(60_000);
    expect([dead, mute, without].flatMap(({ replaced }) => replaced)).toEqual([]);
    expect(new Set(world.looks.map(({ hostname }) => hostname))).toEqual(new Set(['dead']));
    expect(world.events).toEqual([]);
    dead.alive = true;
    mute.line = lineOf('good');
    await world.clock.advanceAsync(60_000);
    expect([dead.replaced, mute.replaced].map(([reason]) => reason)).toEqual(['inactive', 'inactive']);
  });

  it('believes nothing that was asked before the stream was another one', async () => {
    const world = bench();
    const held = world.open();
    await world.clock.advanceAsync(20_000);
    world.says = INACTIVE;
    world.latencyMs = 5_000;
    await world.clock.advanceAsync(20_000);
    expect(world.looks.at(-1)?.atMs).toBe(40_000);
    // While the question is out, the stream is opened anew, and the manager has handled it by the next one.
    held.openedAtMs = world.clock.nowMs();
    world.reconcile.opened(held);
    world.latencyMs = 0;
    world.says = ACTIVE;
    await world.clock.advanceAsync(60_000);
    expect([held.replaced, world.of('node-disputed')]).toEqual([[], []]);
  });

  it('asks another manager that has come back itself, past its caches: it may have ended the stream that the node had there', async () => {
    const world = bench();
    const held = world.open();
    await world.clock.advanceAsync(100_000);
    const before = world.looks.length;
    world.reconcile.returned('127.0.0.1:2');
    await world.clock.advanceAsync(1_000);
    expect(world.looks.slice(before).map(({ over, depth }) => `${depth} ${over}`)).toEqual(
      Array(2).fill('past-caches 127.0.0.1:2'),
    );
    world.says = INACTIVE;
    world.clock.setTimer(2_100, () => {
      world.says = ACTIVE;
    });
    await world.clock.advanceAsync(3_000);
    expect(held.replaced).toEqual(['inactive']);
  });

  it('looks soon at the nodes of a manager that is back, where their streams have outlived it', async () => {
    const world = bench();
    const held = world.open();
    await world.clock.advanceAsync(100_000);
    const before = world.looks.length;
    world.says = INACTIVE;
    world.reconcile.returned('127.0.0.1:1');
    await world.clock.advanceAsync(400);
    expect(world.looks[before]).toMatchObject({ over: '127.0.0.1:1', depth: 'usual' });
    expect(held.replaced).toEqual(['inactive']);
  });

  it('registers a live node again that is gone, and then replaces its stream', async () => {
    const world = bench();
    const held = world.open();
    await world.clock.advanceAsync(20_000);
    world.says = GONE;
    await world.clock.advanceAsync(24_000);
    expect(world.replayed).toEqual([held.record.node]);
    expect(held.replaced).toEqual(['registered']);
    expect(world.of('node-disputed')).toEqual([{ kind: 'node-disputed', node: 'scheduler', says: 'gone' }]);
  });

  it('tries it again at every look while it cannot be done now, and once in ten minutes when it cannot be done', async () => {
    const world = bench();
    world.replay = 'later';
    const held = world.open();
    world.says = GONE;
    await world.clock.advanceAsync(MINUTE_MS);
    expect(world.replayed.length).toBeGreaterThan(3);
    world.replay = 'unknown';
    await world.clock.advanceAsync(MINUTE_MS);
    const before = world.replayed.length;
    await world.clock.advanceAsync(8 * MINUTE_MS);
    expect(world.replayed).toHaveLength(before);
    expect(held.replaced).toEqual([]);
  });

  it('forgets a node that is held no more, and leaves no timer', async () => {
    const world = bench();
    const held = world.open();
    world.open('other');
    await world.clock.advanceAsync(300);
    world.reconcile.closed(held);
    expect(world.reconcile.viewOf('sched')).toBeUndefined();
    await world.clock.advanceAsync(60_000);
    expect(world.looks.filter(({ hostname }) => hostname === 'sched')).toHaveLength(1);
    world.reconcile.stop();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('has no more than 32 looks under way, and looks at the others in their turn', async () => {
    const world = bench();
    world.latencyMs = 100;
    for (let n = 0; n < 100; n++) world.open(`sched-${n}`);
    await world.clock.advanceAsync(200);
    expect(world.looks).toHaveLength(32);
    await world.clock.advanceAsync(300);
    expect(new Set(world.looks.map(({ hostname }) => hostname)).size).toBe(100);
  });
});
