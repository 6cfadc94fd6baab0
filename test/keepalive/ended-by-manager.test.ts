import { beforeEach, describe, expect, it } from 'vitest';
import type { ReplayResult } from '../../src/keepalive/context.js';
import { Code } from '../../src/rpc/status.js';
import type { ScriptedLine } from '../support/scripted-line.js';
import { beatOf, INTERVAL_MS, type ShieldBench, shieldBench, V1 } from '../support/shield-bench.js';

let bench: ShieldBench;
let line: ScriptedLine;
beforeEach(() => {
  bench = shieldBench();
  line = bench.lines.add();
});

const streams = () => bench.lines.streams;
const reopened = () => bench.of('node-reopened').map(({ reason }) => reason);

describe('a stream that the manager ends', () => {
  it.each([
    ['OK', { code: Code.OK, message: '' }],
    ['a refusal', { code: Code.INVALID_ARGUMENT, message: 'invalid KeepAliveRequest' }],
    ['a method it does not know', { code: Code.UNIMPLEMENTED, message: 'unknown method' }],
    ['a denial', { code: Code.PERMISSION_DENIED, message: 'no' }],
  ])('with %s is over, and all streams of the node hear why', async (_, status) => {
    const nodes = [await bench.attach(), await bench.attach({}, V1)];
    streams()[0]?.end(status, { 'x-tail': 't' });
    await bench.settle();
    for (const { call, outcome } of nodes) {
      expect(call.ended).toEqual({ status, trailers: { 'x-tail': 't' } });
      expect(outcome).toEqual({ code: status.code });
    }
    expect(bench.shield.nodes()).toEqual([]);
    expect(bench.of('node-ended')).toMatchObject([{ reason: 'answered', detail: status.message }]);
    await bench.pass(60_000);
    expect(streams()).toHaveLength(1);
  });

  it.each([
    ['going away', { code: Code.UNAVAILABLE, message: 'the server is shutting down' }, 'link-broken'],
    ['a dead database', { code: Code.INTERNAL, message: 'dial tcp: connection refused' }, 'manager-error'],
    ['a reset', { code: Code.CANCELLED, message: '' }, 'manager-error'],
  ])('with %s is opened again, and the node hears of nothing', async (_, status, reason) => {
    const node = await bench.attach();
    await bench.pass(INTERVAL_MS);
    streams()[0]?.end(status);
    await bench.pass(50);
    expect(bench.live()).toHaveLength(1);
    expect(reopened()).toEqual([reason]);
    expect(bench.of('node-reopened')[0]?.detail).toBe(status.message);
    expect(node.call.ended).toBeUndefined();
  });

  it('again and again is opened ever more slowly, down to once in 5 s', async () => {
    const node = await bench.attach();
    const atMs: number[] = [];
    for (let n = 0; n < 12; n++) {
      const endedAtMs = bench.clock.nowMs();
      bench.live()[0]?.end({ code: Code.INTERNAL, message: 'bad connection' });
      while (bench.live().length === 0) {
        await bench.pass(25);
        node.beat();
      }
      atMs.push(bench.clock.nowMs() - endedAtMs);
    }
    expect(atMs[0]).toBeLessThanOrEqual(150);
    expect(atMs.at(-1)).toBeGreaterThan(3_000);
    expect(Math.max(...atMs)).toBeLessThanOrEqual(5_100);
  });

  it('because there are too many is opened later, and others more slowly', async () => {
    await bench.attach();
    streams()[0]?.end({ code: Code.RESOURCE_EXHAUSTED, message: 'rejected by grpc_ratelimit middleware' });
    await bench.settle();
    expect(bench.live()).toHaveLength(0);
    expect(bench.of('openings-lowered')).toEqual([{ kind: 'openings-lowered', perSecond: 500 }]);
    await bench.pass(200);
    expect(bench.live()).toHaveLength(1);
  });
});

describe('"record not found" at the opening', () => {
  const notFound = { code: Code.INTERNAL, message: 'record not found' };

  it.each(['applied', 'there-already'] as const)(
    'of a node whose registration is known (%s) is mended without a word to it',
    async (result) => {
      bench.replay = () => result;
      const node = await bench.attach();
      streams()[0]?.end(notFound);
      await bench.settle();
      expect(bench.replayed).toEqual([bench.came[0]]);
      expect(bench.live()).toMatchObject([{ messages: [beatOf()] }]);
      expect(reopened()).toEqual(['registered']);
      expect(node.call.ended).toBeUndefined();
    },
  );

  it.each(['unknown', 'refused'] as const)('of any other (%s) is handed on', async (result) => {
    bench.replay = () => result;
    const node = await bench.attach();
    streams()[0]?.end(notFound, { 'x-tail': 't' });
    await bench.settle();
    expect(node.call.ended).toEqual({ status: notFound, trailers: { 'x-tail': 't' } });
    expect(bench.live()).toEqual([]);
  });

  it('that cannot be mended now is tried again a little later', async () => {
    bench.replay = () => (bench.replayed.length === 1 ? 'later' : 'applied');
    await bench.attach();
    streams()[0]?.end(notFound);
    await bench.settle();
    expect(bench.live()).toEqual([]);
    await bench.pass(200);
    expect(bench.live()).toHaveLength(1);
  });

  it('for ever is handed on after three times', async () => {
    bench.replay = () => 'applied';
    const node = await bench.attach();
    for (let n = 0; n < 4; n++) {
      expect(node.call.ended).toBeUndefined();
      bench.live()[0]?.end(notFound);
      await bench.pass(100);
    }
    expect(bench.replayed).toHaveLength(3);
    expect(node.call.ended?.status).toEqual(notFound);
  });

  /** A node that is being registered again, and the word that it is. */
  async function mending(over: object = {}) {
    let done: (result: ReplayResult) => void = () => undefined;
    bench.replay = () =>
      new Promise((resolve) => {
        done = resolve;
      });
    const node = await bench.attach(over);
    streams()[0]?.end(notFound);
    await bench.settle();
    return { node, mended: (result: ReplayResult = 'applied') => done(result) };
  }
  const SEED_PEER = { source_type: 'SEED_PEER_SOURCE' };

  it('of a node that leaves while it is being mended opens nothing', async () => {
    const { node, mended } = await mending();
    node.call.leave('cancelled');
    mended();
    await bench.pass(1_000);
    expect(streams()).toHaveLength(1);
    expect(bench.shield.nodes()).toEqual([]);
  });

  it('of a seed peer that leaves meanwhile opens a stream and ends it: nothing else would set inactive what was registered', async () => {
    const { node, mended } = await mending(SEED_PEER);
    node.call.leave('cancelled');
    mended();
    await bench.pass(1_000);
    expect(streams()).toMatchObject([
      { halfClosed: false },
      { messages: [beatOf(SEED_PEER)], halfClosed: true },
    ]);
    expect(bench.shield.nodes()).toEqual([]);
  });

  it('of a seed peer that leaves and was not registered opens nothing', async () => {
    const { node, mended } = await mending(SEED_PEER);
    node.call.leave('cancelled');
    mended('refused');
    await bench.pass(1_000);
    expect(streams()).toHaveLength(1);
  });

  it('of a seed peer that leaves and comes again meanwhile ends nothing that is its own', async () => {
    const { node, mended } = await mending(SEED_PEER);
    node.call.leave('cancelled');
    await bench.settle();
    await bench.attach(SEED_PEER);
    mended();
    await bench.pass(1_000);
    expect(bench.live()).toHaveLength(1);
  });

  it('of a seed peer that leaves while no connection is there is made up for when one is', async () => {
    const { node, mended } = await mending(SEED_PEER);
    node.call.leave('cancelled');
    line.lose();
    mended();
    await bench.pass(20_000);
    expect(bench.shield.nodes()).toHaveLength(1);
    bench.lines.add();
    await bench.pass(1_000);
    expect(streams().at(-1)).toMatchObject({ messages: [beatOf(SEED_PEER)], halfClosed: true });
    expect(bench.shield.nodes()).toEqual([]);
  });
});
