import { beforeEach, describe, expect, it } from 'vitest';
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
