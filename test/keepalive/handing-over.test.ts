import { describe, expect, it } from 'vitest';
import { Code } from '../../src/rpc/status.js';
import { type ShieldBench, shieldBench, V2 } from '../support/shield-bench.js';
import { attached, KEY, sharedBench } from '../support/shield-claims.js';

const streams = (bench: ShieldBench) => bench.lines.streams;

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
    const world = sharedBench({
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
    const world = sharedBench({
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
    const world = sharedBench({ offer: () => new Promise(() => undefined) });
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
