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

describe('a stream whose connection is lost', () => {
  it('is opened again on another at once, with the first message, and the node hears of nothing', async () => {
    const node = await bench.attach({}, V1);
    await bench.pass(INTERVAL_MS);
    bench.lines.add();
    line.lose();
    await bench.pass(100);
    expect(streams()).toHaveLength(2);
    expect(streams()[1]).toMatchObject({ path: V1, messages: [beatOf()] });
    expect(reopened()).toEqual(['link-broken']);
    expect(node.call.ended).toBeUndefined();
    expect(bench.opened).toHaveLength(2);
  });

  it('is opened again as soon as there is a connection, however long that takes', async () => {
    const node = await bench.attach();
    line.lose();
    await bench.beating([node], 120_000);
    expect(bench.live()).toEqual([]);
    expect(bench.view()).toMatchObject({ state: 'waiting', alive: true });
    bench.lines.add();
    await bench.pass(100);
    expect(bench.live()).toHaveLength(1);
    // The beats meanwhile are nobody's: nothing is made up for.
    expect(bench.live()[0]?.messages).toEqual([beatOf()]);
    node.beat();
    await bench.settle();
    expect(bench.live()[0]?.messages).toHaveLength(2);
  });

  it('is not opened again for a node that leaves meanwhile', async () => {
    const node = await bench.attach();
    line.lose();
    node.call.leave('cancelled');
    await bench.settle();
    bench.lines.add();
    await bench.pass(1_000);
    expect(streams()).toHaveLength(1);
    expect(bench.shield.nodes()).toEqual([]);
    expect(bench.lines.watchers).toBe(0);
  });

  it('is opened again within its grace, too, for a node that may come back', async () => {
    const node = await bench.attach();
    line.lose();
    node.call.leave('connection-lost');
    bench.lines.add();
    await bench.pass(100);
    expect(bench.live()).toHaveLength(1);
  });
});

describe('a stream on a connection that is about to go', () => {
  it('moves when another is there, and only when its end is confirmed', async () => {
    line.confirms = false;
    await bench.attach();
    line.state = 'leaving';
    await bench.settle();
    expect(streams()).toMatchObject([{ halfClosed: false }]);
    const other = bench.lines.add();
    await bench.settle();
    expect(streams()).toMatchObject([{ halfClosed: true, ended: false }]);
    expect(bench.view()?.state).toBe('replacing');
    streams()[0]?.end();
    await bench.settle();
    expect(streams()).toHaveLength(2);
    expect(streams()[1]?.line).toBe(other);
    expect(reopened()).toEqual(['leaving']);
    expect(line.watchers).toBe(0);
  });

  it('moves after a second without the confirmation', async () => {
    line.confirms = false;
    await bench.attach();
    line.state = 'leaving';
    bench.lines.add();
    await bench.pass(999);
    expect(streams()).toHaveLength(1);
    await bench.pass(1);
    expect(streams()).toHaveLength(2);
    expect(streams()[0]?.ended).toBe(true);
    // Others on it may still get theirs.
    expect(line.givenUp).toBe(false);
  });

  it('is lost after all: then it is opened again like any other', async () => {
    await bench.attach();
    await bench.pass(INTERVAL_MS);
    line.state = 'leaving';
    line.lose();
    bench.lines.add();
    await bench.pass(100);
    expect(reopened()).toEqual(['link-broken']);
    expect(bench.live()).toHaveLength(1);
  });
});

describe('a stream on a connection that is mute', () => {
  it('stays while there is no other, and stays for good if it speaks again', async () => {
    await bench.attach();
    line.state = 'mute';
    await bench.pass(10_000);
    expect(bench.live()).toHaveLength(1);
    line.state = 'good';
    await bench.settle();
    bench.lines.add();
    await bench.settle();
    expect(streams()).toHaveLength(1);
    expect(bench.live()).toHaveLength(1);
  });

  it('stays if it speaks again a moment after another one has: it was the manager that was frozen', async () => {
    await bench.attach();
    line.state = 'mute';
    bench.lines.add();
    await bench.pass(499);
    line.state = 'good';
    await bench.pass(10_000);
    expect(streams()).toHaveLength(1);
    expect(bench.live()).toHaveLength(1);
  });

  it('stays while another one is good only because nobody has asked it since', async () => {
    await bench.attach();
    const other = bench.lines.add();
    other.answers = false;
    line.state = 'mute';
    await bench.pass(10_000);
    expect(bench.live()).toMatchObject([{ line }]);
    // A node without a stream has nothing to lose there.
    await bench.attach({ hostname: 'other' });
    expect(bench.live()).toHaveLength(2);
  });

  it('moves to another; a connection that does not even answer the half-close is given up', async () => {
    line.confirms = false;
    await bench.attach();
    line.state = 'mute';
    const other = bench.lines.add();
    await bench.pass(500);
    expect(streams()).toMatchObject([{ halfClosed: true, ended: false }]);
    await bench.pass(999);
    expect(line.givenUp).toBe(false);
    await bench.pass(1);
    expect(line.givenUp).toBe(true);
    expect(bench.live()).toMatchObject([{ messages: [beatOf()] }]);
    expect(bench.live()[0]?.line).toBe(other);
    expect(reopened()).toEqual(['mute']);
  });
});

describe('a stream that is to be replaced', () => {
  it.each(['inactive', 'registered', 'reassert'] as const)('(%s) is, politely', async (reason) => {
    await bench.attach();
    bench.opened[0]?.replace(reason as 'inactive');
    await bench.settle();
    expect(streams()).toMatchObject([{ halfClosed: true, ended: true }, { messages: [beatOf()] }]);
    expect(reopened()).toEqual([reason]);
    expect(bench.view()).toMatchObject({ reopenings: 1, lastReopened: reason });
  });

  it('is so once, however many want it', async () => {
    line.confirms = false;
    await bench.attach();
    bench.opened[0]?.replace('inactive');
    bench.opened[0]?.replace('inactive');
    bench.others.reassert(bench.opened[0]?.key ?? '');
    streams()[0]?.end();
    await bench.settle();
    expect(streams()).toHaveLength(2);
  });

  it('waits longer for a manager that works and is slow, and never gives its connection up', async () => {
    line.confirms = false;
    await bench.attach();
    bench.opened[0]?.replace('inactive');
    await bench.pass(4_999);
    expect(streams()).toMatchObject([{ ended: false }]);
    await bench.pass(100);
    expect(streams()).toMatchObject([{ ended: true }, { ended: false }]);
    expect(line.givenUp).toBe(false);
  });

  it('and whose node leaves in the middle of it is not opened again', async () => {
    line.confirms = false;
    const node = await bench.attach();
    bench.opened[0]?.replace('inactive');
    node.call.send(undefined);
    await bench.settle();
    expect(bench.view()?.state).toBe('ending');
    streams()[0]?.end();
    await bench.settle();
    expect(streams()).toHaveLength(1);
    expect(node.call.ended?.status.code).toBe(Code.OK);
    expect(bench.shield.nodes()).toEqual([]);
  });

  it('is opened again where the connection has gone meanwhile, as soon as another is there', async () => {
    line.confirms = false;
    await bench.attach();
    bench.opened[0]?.replace('inactive');
    line.lose();
    await bench.pass(1_000);
    expect(streams()).toHaveLength(1);
    bench.lines.add();
    await bench.pass(100);
    expect(bench.live()).toHaveLength(1);
  });
});

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
