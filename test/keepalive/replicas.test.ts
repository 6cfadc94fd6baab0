import { describe, expect, it } from 'vitest';
import { GRACE_MS, INTERVAL_MS, LEASE_MS, type ShieldBench, V1 } from '../support/shield-bench.js';
import { attached, KEY, NODE, RECORD, sharedBench } from '../support/shield-claims.js';

const streams = (bench: ShieldBench) => bench.lines.streams;

describe('with other replicas beside it', () => {
  it('a stream is opened when the node is this replica’s, and not before', async () => {
    const { bench, taken, given } = sharedBench();
    await bench.attach({}, V1);
    await bench.pass(1_000);
    expect(taken).toEqual([{ ...RECORD, intervalMs: undefined }]);
    expect(streams(bench)).toEqual([]);
    await given();
    expect(streams(bench)).toHaveLength(1);
  });

  it('a node that left while it was being taken is given back', async () => {
    const { bench, released, given } = sharedBench();
    const node = await bench.attach();
    node.call.leave('cancelled');
    await bench.settle();
    await given();
    expect(streams(bench)).toEqual([]);
    expect(released).toEqual([KEY, KEY]);
  });

  it('a node that has left is released once its stream has ended', async () => {
    const world = sharedBench();
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
    const world = sharedBench();
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
    const world = sharedBench();
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
    const { bench } = sharedBench();
    await bench.others.yield(KEY);
    bench.others.reassert(KEY);
    bench.others.freed(KEY);
    expect(bench.shield.nodes()).toEqual([]);
  });

  it('a node that comes back to this one is taken back', async () => {
    const world = sharedBench();
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
    const world = sharedBench();
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
    const world = sharedBench();
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
    const world = sharedBench();
    const { bench } = world;
    await attached(world);
    bench.others.reassert(KEY);
    await bench.settle();
    expect(streams(bench)).toMatchObject([{ ended: true }, { ended: false }]);
    expect(bench.of('node-reopened')).toMatchObject([{ reason: 'reassert' }]);
  });

  it('a node of one that has gone is kept active here, and has its grace to come', async () => {
    const { bench, given } = sharedBench();
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
    const { bench, given, released } = sharedBench();
    bench.others.orphaned(RECORD, 'leaving');
    await given();
    await bench.pass(GRACE_MS);
    expect(bench.live()).toEqual([]);
    expect(released).toEqual([KEY]);
  });

  it('a node of one that says nothing has a lease longer: it may be attached to it, and know of nothing', async () => {
    const { bench, given } = sharedBench();
    bench.others.orphaned(RECORD, 'silent');
    await given();
    await bench.pass(GRACE_MS + LEASE_MS - 1);
    expect(bench.live()).toHaveLength(1);
    await bench.pass(1);
    expect(bench.live()).toEqual([]);
  });

  describe('where it is silent here, too,', () => {
    async function silentHere() {
      const world = sharedBench();
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
    const { bench } = sharedBench({ heldElsewhere: (key) => key === KEY });
    expect(bench.shield.isAlive(NODE)).toBe(true);
    expect(bench.shield.isAlive({ ...NODE, ip: '127.0.0.2' })).toBeUndefined();
  });
});
