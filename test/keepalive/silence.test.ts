import { beforeEach, describe, expect, it } from 'vitest';
import { Beats } from '../../src/keepalive/beats.js';
import { beatOf, INTERVAL_MS, type ShieldBench, shieldBench, V1 } from '../support/shield-bench.js';

let bench: ShieldBench;
beforeEach(() => {
  bench = shieldBench();
  bench.lines.add();
});

describe('a node that is silent', () => {
  it('for three of its own intervals is let go, and not before', async () => {
    const node = await bench.attach();
    await bench.beating([node], 10 * INTERVAL_MS);
    await bench.pass(3 * INTERVAL_MS - 1);
    expect(bench.live()).toHaveLength(1);
    expect(bench.view()?.alive).toBe(true);
    await bench.pass(1);
    expect(bench.live()).toHaveLength(0);
    expect(bench.view()).toMatchObject({ state: 'dormant', alive: false, streamsBelow: 1 });
    expect(bench.of('node-ended')).toMatchObject([{ reason: 'silent' }]);
    expect(node.call.ended).toBeUndefined();
  });

  it.each([500, 20_000])('is judged by its own pace (%i ms)', async (intervalMs) => {
    const node = await bench.attach();
    await bench.beating([node], 6 * intervalMs, intervalMs);
    const before = bench.of('node-ended').length;
    await bench.pass(3 * intervalMs - 1);
    expect(bench.of('node-ended')).toHaveLength(before);
    await bench.pass(1);
    expect(bench.of('node-ended')).toHaveLength(before + 1);
  });

  it('and beats again is opened anew with its first message', async () => {
    const node = await bench.attach({}, V1);
    await bench.pass(3 * INTERVAL_MS);
    node.call.send(Buffer.concat([beatOf(), Buffer.from([0x80, 0x7d, 42])]));
    await bench.settle();
    expect(bench.lines.streams).toHaveLength(2);
    expect(bench.lines.streams[1]).toMatchObject({ path: V1, messages: [beatOf()] });
    expect(bench.of('node-reopened')).toMatchObject([{ reason: 'awake', gapMs: 0 }]);
    expect(bench.view()).toMatchObject({ state: 'open', alive: true });
  });

  it('and beats again before its end is confirmed waits for that', async () => {
    const line = bench.lines.add();
    line.confirms = false;
    bench.lines.line = () => line;
    const node = await bench.attach();
    await bench.pass(3 * INTERVAL_MS);
    node.beat();
    await bench.settle();
    expect(bench.lines.streams).toHaveLength(1);
    bench.lines.streams[0]?.end();
    await bench.settle();
    expect(bench.live()).toHaveLength(1);
  });

  it('and whose connection is then lost has no grace any more', async () => {
    const node = await bench.attach();
    await bench.pass(3 * INTERVAL_MS);
    node.call.leave('connection-lost');
    await bench.settle();
    expect(bench.shield.nodes()).toEqual([]);
  });

  it('and then half-closes hears what the manager would say', async () => {
    const node = await bench.attach();
    await bench.pass(3 * INTERVAL_MS);
    node.call.send(undefined);
    await bench.settle();
    expect(node.call.ended).toEqual({ status: { code: 0, message: '' }, trailers: {} });
    expect(bench.shield.nodes()).toEqual([]);
  });

  it('is not, while one of its streams beats, however slow', async () => {
    const [quick, slow] = [await bench.attach(), await bench.attach()];
    for (let n = 0; n < 10; n++) {
      await bench.beating([quick], 4_000, 500);
      slow.beat();
      await bench.settle();
    }
    quick.call.leave('cancelled');
    await bench.beating([slow], 40_000, 4_000);
    expect(bench.lines.streams).toHaveLength(1);
    expect(bench.live()).toHaveLength(1);
  });

  it('sets no timer for each of its beats', async () => {
    const node = await bench.attach();
    await bench.beating([node], 100 * INTERVAL_MS);
    expect(bench.clock.pendingTimers).toBe(1);
  });
});

describe('the interval of a stream', () => {
  const intervalOf = (...gapsMs: number[]): number | undefined => {
    const beats = new Beats(0);
    let nowMs = 0;
    for (const gapMs of gapsMs) {
      nowMs += gapMs;
      beats.note(nowMs);
    }
    return beats.intervalMs;
  };

  it.each([
    ['is not known from two beats', [5_000], undefined],
    ['is known from four', [5_000, 5_010, 4_990], 5_000],
    ['is not that of one pause', [5_000, 5_000, 60_000, 5_000, 5_000], 5_000],
    [
      'is not that of beats that were held up and come in a bunch',
      [5_000, 5_000, 25_000, 0, 0, 1, 0, 5_000],
      5_000,
    ],
    [
      'follows a slower pace with the second beat',
      [5_000, 5_000, 5_000, 5_000, 5_000, 20_000, 20_000],
      20_000,
    ],
    ['follows a faster pace', [20_000, 20_000, 20_000, 5_000, 5_000, 5_000, 5_000], 5_000],
    ['is a tenth of a second at least', [60, 60, 60, 60], 100],
    ['is a minute at most', [90_000, 90_000, 90_000], 60_000],
  ] as const)('%s', (_, gapsMs, intervalMs) => {
    expect(intervalOf(...gapsMs)).toBe(intervalMs);
  });
});
