import { beforeEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import { Code } from '../../src/rpc/status.js';
import {
  beatOf,
  GRACE_MS,
  MOST_NODES,
  type ShieldBench,
  shieldBench,
  V1,
  V2,
} from '../support/shield-bench.js';

let bench: ShieldBench;
beforeEach(() => {
  bench = shieldBench();
  bench.lines.add();
});

const streams = () => bench.lines.streams;

describe('a node that comes', () => {
  it('has a stream at the manager with its own first message, path and metadata', async () => {
    await bench.attach({}, V1, { metadata: { traceparent: 't', te: 'trailers' } });
    expect(streams()).toMatchObject([{ path: V1, messages: [beatOf()], metadata: { traceparent: 't' } }]);
    expect(streams()[0]?.metadata).not.toHaveProperty('te');
    expect(bench.events).toEqual([{ kind: 'node-opened', node: 'scheduler', manager: '0' }]);
    expect(bench.came).toHaveLength(1);
  });

  it('has its beats forwarded byte for byte, and none invented', async () => {
    const node = await bench.attach();
    const odd = Buffer.concat([beatOf(), Buffer.from([0x80, 0x7d, 42])]);
    node.call.send(odd);
    await bench.settle();
    expect(streams()[0]?.messages).toEqual([beatOf(), odd]);
    await bench.pass(10_000);
    expect(streams()[0]?.messages).toHaveLength(2);
  });

  it.each([
    ['what cannot be read', Buffer.from([0xff])],
    ['a peer', beatOf({ source_type: 'PEER_SOURCE' })],
    ['no hostname', beatOf({ hostname: '' })],
    ['no address', beatOf({ ip: '' })],
    ['more than anybody keeps', beatOf({ hostname: 'x'.repeat(5_000) })],
    ['no cluster', beatOf({ cluster_id: '0' })],
    ['a hostname that is no text', Buffer.concat([Buffer.from([0x12, 1, 0xff]), beatOf({ hostname: '' })])],
  ])('with %s is forwarded with what it sent', async (_, first) => {
    const { call } = bench.open();
    call.send(first);
    await bench.settle();
    expect(bench.forwarded).toHaveLength(1);
    expect(await bench.forwarded[0]?.read()).toEqual(first);
    expect(streams()).toEqual([]);
  });

  it('with a credential, or without a message, is forwarded', async () => {
    bench.open(V2, { metadata: { authorization: 'Bearer x' } });
    bench.open().call.send(undefined);
    await bench.settle();
    expect(bench.forwarded).toHaveLength(2);
    expect(await bench.forwarded[1]?.read()).toBeUndefined();
  });

  it('when there are as many as can be held is forwarded, and the operator is told', async () => {
    for (let n = 0; n < MOST_NODES; n++) await bench.attach({ hostname: `node-${n}` });
    const [first] = [await bench.attach({ hostname: 'node-0' })];
    await bench.attach({ hostname: 'one-too-many' });
    expect(bench.forwarded).toHaveLength(1);
    expect(bench.of('node-unshielded')).toHaveLength(1);
    expect(first?.outcome).toBeUndefined();
  });

  it.each(['observe', 'bypass'] as const)(
    'in mode %s is forwarded, unless its stream is held here already',
    async (mode) => {
      await bench.attach({}, V2, { mode });
      expect(bench.forwarded).toHaveLength(1);
      await bench.attach();
      await bench.attach({}, V2, { mode });
      await bench.attach({ hostname: 'another' }, V2, { mode });
      expect(bench.forwarded).toHaveLength(2);
      expect(streams()).toHaveLength(1);
      expect(bench.view()?.streamsBelow).toBe(2);
    },
  );

  it('and goes before it has said who it is, is nobody', async () => {
    const node = bench.open();
    node.call.leave('cancelled');
    await bench.settle();
    expect(node.outcome).toEqual({ code: Code.CANCELLED });
    expect(bench.forwarded).toEqual([]);
  });
});

describe('several streams of one node, of either API,', () => {
  it('are one at the manager, and all their beats are forwarded', async () => {
    const first = await bench.attach();
    const second = await bench.attach({}, V1);
    first.beat();
    second.beat();
    await bench.settle();
    expect(streams()).toHaveLength(1);
    expect(streams()[0]?.messages).toHaveLength(4);
  });

  it('end it only with the last of them', async () => {
    const [first, second, third] = [await bench.attach(), await bench.attach({}, V1), await bench.attach()];
    first.call.leave('cancelled');
    second.call.send(undefined);
    await bench.settle();
    expect(bench.live()).toHaveLength(1);
    expect(second.call.ended).toEqual({ status: { code: Code.OK, message: '' }, trailers: {} });
    expect(second.call.received).toEqual([]);
    third.call.leave('cancelled');
    await bench.settle();
    expect(streams()).toMatchObject([{ halfClosed: true }]);
    expect(bench.shield.nodes()).toEqual([]);
    expect(bench.closed).toHaveLength(1);
  });

  it('of different addresses, clusters or kinds are different nodes', async () => {
    for (const over of [
      {},
      { ip: '127.0.0.2' },
      { cluster_id: '2' },
      { source_type: 'SEED_PEER_SOURCE' },
      { hostname: 'x' },
    ])
      await bench.attach(over);
    expect(bench.live()).toHaveLength(5);
    expect(new Set(bench.shield.nodes().map(({ key }) => key)).size).toBe(5);
  });
});

describe('a node that leaves', () => {
  it('by a half-close hears what the manager says to it', async () => {
    const line = bench.lines.add();
    line.confirms = false;
    bench.lines.line = () => line;
    const node = await bench.attach();
    node.call.send(undefined);
    await bench.settle();
    expect(node.call.ended).toBeUndefined();
    const [stream] = streams();
    stream?.headers({ 'x-head': 'h' });
    stream?.say(Buffer.from('bye'));
    stream?.end({ code: Code.INTERNAL, message: 'record not found' }, { 'x-tail': 't' });
    await bench.settle();
    expect(node.call).toMatchObject({
      headers: { 'x-head': 'h' },
      received: [Buffer.from('bye')],
      ended: { status: { code: Code.INTERNAL, message: 'record not found' }, trailers: { 'x-tail': 't' } },
    });
    expect(node.outcome).toEqual({ code: Code.INTERNAL });
    expect(bench.replayed).toEqual([]);
  });

  it('hears OK without a message where the manager says so', async () => {
    const node = await bench.attach();
    node.call.send(undefined);
    await bench.settle();
    expect(node.call).toMatchObject({ headers: undefined, received: [], ended: { status: { code: 0 } } });
    expect(bench.of('node-ended')).toMatchObject([{ reason: 'left' }]);
  });

  it('as soon as it has come has all it sent at the manager, and hears what that says', async () => {
    const { call } = bench.open();
    for (const message of [beatOf(), beatOf(), undefined]) call.send(message);
    await bench.settle();
    expect(streams()).toMatchObject([{ messages: [beatOf(), beatOf()], halfClosed: true }]);
    expect(call.ended?.status.code).toBe(Code.OK);
  });

  it('while no manager can be reached is told that none has heard of it', async () => {
    bench = shieldBench();
    const node = await bench.attach();
    node.call.send(undefined);
    await bench.pass(999);
    expect(node.call.ended).toBeUndefined();
    await bench.pass(1);
    expect(node.call.ended?.status).toEqual({
      code: Code.UNAVAILABLE,
      message: 'manager-gateway: no manager answers',
    });
    expect(bench.lines.watchers).toBe(0);
    expect(bench.shield.nodes()).toEqual([]);
  });

  it.each(['cancelled', 'deadline'] as const)(
    '(%s) is half-closed at once, in the manager’s own order',
    async (how) => {
      const node = await bench.attach();
      node.call.leave(how);
      await bench.settle();
      expect(streams()).toMatchObject([{ halfClosed: true }]);
      expect(node.outcome).toEqual({ code: how === 'deadline' ? Code.DEADLINE_EXCEEDED : Code.CANCELLED });
    },
  );

  it('and comes back at once has its next stream only when the end of the last one is confirmed', async () => {
    const line = bench.lines.add();
    line.confirms = false;
    bench.lines.line = () => line;
    const node = await bench.attach();
    node.call.leave('cancelled');
    await bench.attach();
    expect(streams()).toMatchObject([{ halfClosed: true, ended: false }]);
    streams()[0]?.end();
    await bench.settle();
    expect(streams()).toHaveLength(2);
    expect(bench.live()).toHaveLength(1);
    expect(bench.shield.nodes()).toMatchObject([{ state: 'open', streamsBelow: 1 }]);
  });

  it('by sending what is no gRPC is told so, and has left', async () => {
    const node = await bench.attach();
    const error = new GatewayError('malformed-frame', 'nonsense');
    node.call.fail(error);
    await bench.settle();
    expect(node.outcome).toEqual({ error });
    expect(bench.live()).toEqual([]);
  });
});

describe('a node whose connection is lost', () => {
  it('and comes back within its grace is not inactive for a moment', async () => {
    const node = await bench.attach();
    node.call.leave('connection-lost');
    await bench.pass(GRACE_MS - 1);
    expect(bench.shield.isAlive(bench.came[0] as never)).toBe(true);
    const again = await bench.attach();
    await bench.pass(10_000);
    expect(streams()).toHaveLength(1);
    expect(bench.live()).toHaveLength(1);
    expect(streams()[0]?.messages).toHaveLength(2);
    expect(again.outcome).toBeUndefined();
  });

  it('and does not is let go when its grace is over', async () => {
    const node = await bench.attach();
    node.call.leave('connection-lost');
    await bench.pass(GRACE_MS - 1);
    expect(bench.live()).toHaveLength(1);
    await bench.pass(1);
    expect(bench.live()).toHaveLength(0);
    expect(bench.of('node-ended')).toMatchObject([{ reason: 'lost' }]);
    expect(bench.shield.nodes()).toEqual([]);
    // It may be at another gateway by now, and has not registered anew: what is pending for it is not to be given up.
    expect(bench.shield.isAlive(bench.came[0] as never)).toBeUndefined();
  });

  it('while another of its streams is there loses nothing', async () => {
    const [first, second] = [await bench.attach(), await bench.attach()];
    first.call.leave('connection-lost');
    await bench.beating([second], 2 * GRACE_MS);
    expect(bench.live()).toHaveLength(1);
    expect(streams()).toHaveLength(1);
  });

  it('and was found to be dead by a ping is not kept for the whole grace on top of it', async () => {
    const node = await bench.attach();
    await bench.pass(14_000);
    node.call.leave('connection-lost');
    // Its next beat would have come after 5 s.
    await bench.pass(5_000 + GRACE_MS - 14_000 - 1);
    expect(bench.live()).toHaveLength(1);
    await bench.pass(1);
    expect(bench.live()).toHaveLength(0);
  });
});

describe('what is known of nodes', () => {
  it('is nothing of one that was never here, and nothing again of one that registers anew', async () => {
    const node = await bench.attach();
    const [who] = bench.came;
    if (who === undefined) throw new Error('nobody came');
    expect(bench.shield.isAlive({ ...who, ip: '127.0.0.9' })).toBeUndefined();
    expect(bench.shield.isAlive(who)).toBe(true);
    node.call.leave('cancelled');
    await bench.settle();
    expect(bench.shield.isAlive(who)).toBe(false);
    bench.shield.registered(who);
    expect(bench.shield.isAlive(who)).toBeUndefined();
  });

  it('is that it has left only if it has said so last', async () => {
    const [node, who] = [await bench.attach(), bench.came[0] as never];
    node.call.leave('cancelled');
    await bench.settle();
    expect(bench.shield.isAlive(who)).toBe(false);
    // A registration of before, made up for behind it, is no word of the node's.
    bench.shield.madeActive(who);
    await bench.pass(10_000);
    expect(bench.shield.isAlive(who)).toBe(false);
    const again = await bench.attach();
    again.call.leave('connection-lost');
    await bench.pass(GRACE_MS);
    expect(bench.shield.nodes()).toEqual([]);
    expect(bench.shield.isAlive(who)).toBeUndefined();
  });

  it('is forgotten when the operator says so: its streams end, above and below', async () => {
    const nodes = [await bench.attach(), await bench.attach()];
    const other = await bench.attach({ hostname: 'other' });
    expect(bench.shield.forget(({ hostname }) => hostname === 'node')).toBe(1);
    await bench.settle();
    for (const { call } of nodes) expect(call.ended?.status.code).toBe(Code.UNAVAILABLE);
    expect(other.call.ended).toBeUndefined();
    expect(bench.live()).toHaveLength(1);
    expect(bench.of('node-ended')).toMatchObject([{ reason: 'forgotten' }]);
  });

  it('is shown', async () => {
    await bench.attach();
    expect(bench.shield.nodes()).toEqual([
      {
        key: expect.any(String),
        node: {
          kind: 'scheduler',
          source: 'SCHEDULER_SOURCE',
          clusterId: '1',
          hostname: 'node',
          ip: '127.0.0.1',
        },
        state: 'open',
        alive: true,
        streamsBelow: 1,
        lastBeatAtMs: 1_000,
        intervalMs: undefined,
        upstream: { manager: '0', address: '127.0.0.1:1', openedAtMs: 1_000 },
        reopenings: 0,
        lastReopened: undefined,
        holder: undefined,
      },
    ]);
  });
});
