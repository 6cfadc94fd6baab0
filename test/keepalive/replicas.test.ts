import { describe, expect, it } from 'vitest';
import type { Claims } from '../../src/keepalive/claims.js';
import { type NodeRecord, nodeKeyOf } from '../../src/keepalive/node.js';
import { Code } from '../../src/rpc/status.js';
import {
  beatOf,
  GRACE_MS,
  INTERVAL_MS,
  LEASE_MS,
  type ShieldBench,
  shieldBench,
  V1,
  V2,
} from '../support/shield-bench.js';

const NODE = {
  kind: 'scheduler',
  source: 'SCHEDULER_SOURCE',
  clusterId: '1',
  hostname: 'node',
  ip: '127.0.0.1',
} as const;
const KEY = nodeKeyOf(NODE);
const RECORD: NodeRecord = { node: NODE, path: V1, first: beatOf(), intervalMs: INTERVAL_MS };

/** Claims in the test's hand: takes wait for the test, and everything is written down. */
function shared(over: Partial<Claims> = {}) {
  const [taken, released, offered]: [NodeRecord[], string[], string[]] = [[], [], []];
  let give: () => void = () => undefined;
  const bench = shieldBench({
    claims: {
      take: (record) => {
        taken.push(record);
        return new Promise((resolve) => {
          give = resolve;
        });
      },
      release: async (key) => void released.push(key),
      offer: async (key) => {
        offered.push(key);
        return false;
      },
      ...over,
    },
  });
  bench.lines.add();
  const given = async (): Promise<void> => {
    give();
    await bench.settle();
  };
  return { bench, taken, released, offered, given };
}

async function attached(world: ReturnType<typeof shared>) {
  const node = await world.bench.attach();
  await world.given();
  return node;
}

const streams = (bench: ShieldBench) => bench.lines.streams;

describe('with other replicas beside it', () => {
  it('a stream is opened when the node is this replica’s, and not before', async () => {
    const { bench, taken, given } = shared();
    await bench.attach({}, V1);
    await bench.pass(1_000);
    expect(taken).toEqual([{ ...RECORD, intervalMs: undefined }]);
    expect(streams(bench)).toEqual([]);
    await given();
    expect(streams(bench)).toHaveLength(1);
  });

  it('a node that left while it was being taken is given back', async () => {
    const { bench, released, given } = shared();
    const node = await bench.attach();
    node.call.leave('cancelled');
    await bench.settle();
    await given();
    expect(streams(bench)).toEqual([]);
    expect(released).toEqual([KEY, KEY]);
  });

  it('a node that has left is released once its stream has ended', async () => {
    const world = shared();
    const { bench, released } = world;
    const line = bench.lines.add();
    line.confirms = false;
    bench.lines.line = () => line;
    const node = await attached(world);
    node.call.leave('cancelled');
    await bench.settle();
    expect(released).toEqual([]);
    streams(bench)[0]?.end();
    await bench.settle();
    expect(released).toEqual([KEY]);
  });

  it('one that takes the node has this one’s stream ended first, and the node’s streams here stay', async () => {
    const world = shared();
    const { bench, released } = world;
    const line = bench.lines.add();
    line.confirms = false;
    bench.lines.line = () => line;
    const node = await attached(world);
    let yielded = false;
    void bench.others.yield(KEY).then(() => {
      yielded = true;
    });
    await bench.settle();
    expect(streams(bench)).toMatchObject([{ halfClosed: true }]);
    expect(yielded).toBe(false);
    streams(bench)[0]?.end();
    await bench.settle();
    expect(yielded).toBe(true);
    node.beat();
    await bench.settle();
    expect(bench.view()).toMatchObject({ state: 'elsewhere', streamsBelow: 1 });
    expect(streams(bench)).toHaveLength(1);
    node.call.leave('connection-lost');
    await bench.settle();
    expect(bench.shield.nodes()).toEqual([]);
    expect(released).toEqual([]);
  });

  it('the one that wants it does not wait for a manager that does not answer', async () => {
    const world = shared();
    const { bench } = world;
    await attached(world);
    for (const { line } of streams(bench)) line.confirms = false;
    let yielded = false;
    void bench.others.yield(KEY).then(() => {
      yielded = true;
    });
    await bench.pass(5_000);
    expect(yielded).toBe(true);
  });

  it('yielding what is not here is done at once', async () => {
    const { bench } = shared();
    await bench.others.yield(KEY);
    bench.others.reassert(KEY);
    bench.others.freed(KEY);
    expect(bench.shield.nodes()).toEqual([]);
  });

  it('a node that comes back to this one is taken back', async () => {
    const world = shared();
    const { bench, taken } = world;
    await attached(world);
    await bench.others.yield(KEY);
    await bench.attach();
    expect(taken).toHaveLength(2);
    await world.given();
    expect(bench.live()).toHaveLength(1);
    expect(bench.of('node-reopened')).toMatchObject([{ reason: 'taken-over' }]);
  });

  it('a node that nobody holds any more is taken back while it is live here, and only then', async () => {
    const world = shared();
    const { bench, taken } = world;
    const node = await attached(world);
    await bench.others.yield(KEY);
    await bench.pass(3 * INTERVAL_MS);
    node.beat();
    await bench.settle();
    expect([bench.view()?.state, taken.length]).toEqual(['elsewhere', 1]);
    bench.others.freed(KEY);
    expect(taken).toHaveLength(2);
  });

  it('one that is silent here when nobody holds it any more is taken back when it beats', async () => {
    const world = shared();
    const { bench, taken } = world;
    const node = await attached(world);
    await bench.others.yield(KEY);
    await bench.pass(3 * INTERVAL_MS);
    bench.others.freed(KEY);
    await bench.settle();
    expect([bench.view()?.state, taken.length]).toEqual(['dormant', 1]);
    node.beat();
    await bench.settle();
    expect(taken).toHaveLength(2);
    await world.given();
    expect(bench.live()).toHaveLength(1);
  });

  it('the stream is replaced where a late one has ended another of the node', async () => {
    const world = shared();
    const { bench } = world;
    await attached(world);
    bench.others.reassert(KEY);
    await bench.settle();
    expect(streams(bench)).toMatchObject([{ ended: true }, { ended: false }]);
    expect(bench.of('node-reopened')).toMatchObject([{ reason: 'reassert' }]);
  });

  it('a node of one that has gone is kept active here, and has its grace to come', async () => {
    const { bench, given } = shared();
    bench.others.orphaned(RECORD, 'leaving');
    await given();
    expect(streams(bench)).toMatchObject([{ path: V1, messages: [RECORD.first] }]);
    expect(bench.view()).toMatchObject({
      state: 'open',
      alive: true,
      streamsBelow: 0,
      intervalMs: INTERVAL_MS,
    });
    expect(bench.came).toEqual([]);
    await bench.pass(GRACE_MS - 1);
    await bench.attach();
    await bench.pass(INTERVAL_MS);
    expect(streams(bench)).toHaveLength(1);
    expect(bench.live()).toHaveLength(1);
  });

  it('and goes inactive if it does not', async () => {
    const { bench, given, released } = shared();
    bench.others.orphaned(RECORD, 'leaving');
    await given();
    await bench.pass(GRACE_MS);
    expect(bench.live()).toEqual([]);
    expect(released).toEqual([KEY]);
  });

  it('a node of one that says nothing has a lease longer: it may be attached to it, and know of nothing', async () => {
    const { bench, given } = shared();
    bench.others.orphaned(RECORD, 'silent');
    await given();
    await bench.pass(GRACE_MS + LEASE_MS - 1);
    expect(bench.live()).toHaveLength(1);
    await bench.pass(1);
    expect(bench.live()).toEqual([]);
  });

  describe('where it is silent here, too,', () => {
    async function silentHere() {
      const world = shared();
      const node = await attached(world);
      await world.bench.pass(3 * INTERVAL_MS);
      world.bench.others.orphaned(RECORD, 'silent');
      await world.given();
      expect(world.bench.live()).toHaveLength(1);
      return { ...world, node };
    }

    it('is given no more than that', async () => {
      const { bench } = await silentHere();
      await bench.pass(GRACE_MS + LEASE_MS);
      expect(bench.live()).toEqual([]);
      expect(bench.view()).toMatchObject({ state: 'dormant', alive: false, streamsBelow: 1 });
    });

    it('and is heard when it beats after it', async () => {
      const { bench, node, given } = await silentHere();
      await bench.pass(GRACE_MS + LEASE_MS);
      node.beat();
      await bench.settle();
      await given();
      expect(bench.live()).toHaveLength(1);
      expect(bench.view()).toMatchObject({ state: 'open', alive: true });
    });

    it('and is heard though another one has taken it meanwhile', async () => {
      const { bench, node, taken } = await silentHere();
      await bench.others.yield(KEY);
      node.beat();
      await bench.settle();
      expect(bench.view()).toMatchObject({ state: 'elsewhere', alive: true, streamsBelow: 1 });
      bench.others.freed(KEY);
      expect(taken).toHaveLength(3);
    });

    it('and loses what it had here, it may come still', async () => {
      const { bench, node } = await silentHere();
      node.call.leave('connection-lost');
      await bench.pass(GRACE_MS + LEASE_MS - 1);
      expect(bench.live()).toHaveLength(1);
      await bench.pass(1);
      expect(bench.shield.nodes()).toEqual([]);
    });
  });

  it('a node that another one holds is alive', () => {
    const { bench } = shared({ heldElsewhere: (key) => key === KEY });
    expect(bench.shield.isAlive(NODE)).toBe(true);
    expect(bench.shield.isAlive({ ...NODE, ip: '127.0.0.2' })).toBeUndefined();
  });
});

describe('a drain', () => {
  const deadline = (bench: ShieldBench, ms = 20_000): number => bench.clock.nowMs() + ms;

  it('ends the streams below UNAVAILABLE, one after the other within 2 s, and those above behind them', async () => {
    const bench = shieldBench();
    bench.lines.add();
    let draws = 0;
    const nodes = [];
    for (let n = 0; n < 10; n++) nodes.push(await bench.attach({ hostname: `node-${n}` }));
    bench.draw = () => (draws++ % 10) / 10;
    const drained = bench.shield.drain(deadline(bench));
    await bench.pass(1_000);
    const told = nodes.filter(({ call }) => call.ended !== undefined).length;
    expect(told).toBeGreaterThan(3);
    expect(told).toBeLessThan(8);
    expect(bench.live()).toHaveLength(10 - told);
    await bench.pass(1_000);
    await drained;
    for (const { call } of nodes) {
      expect(call.ended?.status).toEqual({
        code: Code.UNAVAILABLE,
        message: 'manager-gateway is stopping; connect again',
      });
    }
    expect(bench.live()).toEqual([]);
    expect(bench.shield.nodes()).toEqual([]);
  });

  it('ends those, too, that have not said yet whose they are, and takes no new ones', async () => {
    const bench = shieldBench();
    const node = bench.open();
    const drained = bench.shield.drain(deadline(bench));
    await bench.pass(2_000);
    await drained;
    expect(node.outcome).toEqual({ code: Code.UNAVAILABLE });
    const late = await bench.attach();
    expect(late.outcome).toMatchObject({ error: { code: 'draining' } });
  });

  it('waits for a manager that hangs no longer than a second', async () => {
    const bench = shieldBench();
    bench.lines.add().confirms = false;
    await bench.attach();
    const drained = bench.shield.drain(deadline(bench));
    await bench.pass(3_000);
    await drained;
    expect(bench.lines.streams).toMatchObject([{ halfClosed: true, ended: false }]);
  });

  it('leaves the streams above to who takes them over', async () => {
    let taken: (took: boolean) => void = () => undefined;
    const world = shared({
      offer: () =>
        new Promise((resolve) => {
          taken = resolve;
        }),
    });
    const { bench } = world;
    const node = await attached(world);
    const drained = bench.shield.drain(deadline(bench));
    await bench.pass(10_000);
    expect(node.call.ended?.status.code).toBe(Code.UNAVAILABLE);
    expect(bench.live()).toHaveLength(1);
    await bench.others.yield(KEY);
    taken(true);
    await drained;
    expect(bench.shield.nodes()).toEqual([]);
  });

  it('ends them itself when nobody has by shortly before its deadline', async () => {
    let untilMs = 0;
    let taken: (took: boolean) => void = () => undefined;
    const world = shared({
      offer: (_, deadlineMs) => {
        untilMs = deadlineMs;
        return new Promise((resolve) => {
          taken = resolve;
        });
      },
    });
    const { bench } = world;
    await attached(world);
    const endMs = deadline(bench);
    const drained = bench.shield.drain(endMs);
    await bench.pass(2_000);
    expect(untilMs).toBe(endMs - 1_000);
    taken(false);
    await drained;
    expect(bench.live()).toEqual([]);
    expect(bench.of('node-ended')).toMatchObject([{ reason: 'stopping' }]);
  });

  it('keeps an offered stream through a break, too', async () => {
    const world = shared({ offer: () => new Promise(() => undefined) });
    const { bench } = world;
    await attached(world);
    void bench.shield.drain(deadline(bench));
    await bench.pass(2_000);
    bench.lines.add();
    streams(bench)[0]?.line.lose();
    await bench.pass(100);
    await world.given();
    await bench.pass(100);
    expect(bench.live()).toHaveLength(1);
  });
});

describe('a stop', () => {
  it('ends everything at once, and waits for the manager’s word for half a second', async () => {
    const bench = shieldBench();
    bench.lines.add().confirms = false;
    const node = await bench.attach();
    let stopped = false;
    void bench.shield.stop().then(() => {
      stopped = true;
    });
    expect(node.call.ended?.status.code).toBe(Code.UNAVAILABLE);
    expect(bench.lines.streams).toMatchObject([{ halfClosed: true }]);
    await bench.pass(499);
    expect(stopped).toBe(false);
    await bench.pass(1);
    expect(stopped).toBe(true);
  });

  it('without a node is over at once', async () => {
    const bench = shieldBench();
    await bench.shield.stop();
    expect((await bench.attach({}, V2)).outcome).toMatchObject({ error: { code: 'draining' } });
  });
});
