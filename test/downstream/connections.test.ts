import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { createDownstream } from '../../src/downstream/server.js';
import { systemClock } from '../../src/rpc/clock.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import { OK_STATUS } from '../../src/rpc/status.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  call,
  closed,
  echo,
  GRPC_HEADERS,
  grpcClient,
  heldCalls,
  http2Client,
  request,
  startDownstream,
  tcp,
  USUAL,
} from './harness.js';
import { rawPeer } from './raw-peer.js';

const AT_ONCE = 400;

describe('the listener', () => {
  it('says why it cannot listen', async () => {
    const { port } = await startDownstream();
    const second = createDownstream({
      listen: { host: '127.0.0.1', port },
      tls: { caCert: '', cert: '', key: '', clientAuth: 'none' },
      limits: {
        maxConnections: 1,
        maxConcurrentStreams: 1,
        maxMetadataBytes: 4_096,
        maxMessageBytes: 1,
        ping: { intervalMs: 1_000, timeoutMs: 1_000 },
        limits: USUAL,
      },
      clock: systemClock,
      emit: () => {},
      handler: echo,
    });
    await expect(second.listen()).rejects.toMatchObject({ code: 'listen-failed' });
  });

  it('takes a bare TCP connect that goes again without a fuss', async () => {
    const { port, events } = await startDownstream();
    const socket = await tcp(port);
    await events.seen('connection-opened');
    socket.end();
    await events.seen('connection-closed');
    expect(events.all).toEqual([
      { kind: 'connection-opened' },
      { kind: 'connection-closed', reason: 'client' },
    ]);
  });

  it('opens those that come all at once a few in a turn of the event loop, so that nobody waits for them all', async () => {
    const { port, events } = await startDownstream();
    const openedBy: number[] = [];
    let turn = 0;
    const opened = events.until(() => {
      openedBy[turn] = events.of('connection-opened').length;
      return openedBy[turn] === AT_ONCE;
    });
    const next = (): void => {
      turn += 1;
      openedBy[turn] = events.of('connection-opened').length;
      if (openedBy[turn] !== AT_ONCE) setImmediate(next);
    };
    next();
    await Promise.all([opened, ...Array.from({ length: AT_ONCE }, () => tcp(port))]);
    const inOneTurn = openedBy.map((count, index) => count - (openedBy[index - 1] ?? 0));
    expect(Math.max(...inOneTurn)).toBeLessThan(AT_ONCE / 2);
  });

  it('closes the connection that is one too many, and the others notice nothing', async () => {
    const { port, events, downstream } = await startDownstream({ maxConnections: 2 });
    const first = grpcClient(port);
    const second = grpcClient(port);
    await Promise.all([call(first, []), call(second, [])]);
    const third = await tcp(port);
    await closed(third);
    expect(events.of('connection-refused')).toMatchObject([{ reason: 'max-connections' }]);
    expect(downstream.connections).toBe(2);
    const outcomes = await Promise.all([call(first, [Buffer.from('a')]), call(second, [Buffer.from('b')])]);
    expect(outcomes.map(({ status }) => status.code)).toEqual([Code.OK, Code.OK]);
    second.close();
    await events.seen('connection-closed');
    expect((await call(grpcClient(port), [])).status.code).toBe(Code.OK);
  });

  it('has streams over the limit wait or refused, never lost', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler, maxConcurrentStreams: 4 });
    const client = grpcClient(port);
    const outcomes = Array.from({ length: 40 }, () => call(client, []));
    for (let index = 0; index < 40; index++) (await next()).end(OK_STATUS, NO_METADATA);
    const codes = (await Promise.all(outcomes)).map(({ status }) => status.code);
    expect(codes).toEqual(Array(40).fill(Code.OK));
  });

  it('has nothing left of 2,000 connections that drop at once', async () => {
    const { port, events, downstream } = await startDownstream();
    const sockets = await Promise.all(Array.from({ length: 2_000 }, () => tcp(port)));
    for (const socket of sockets) socket.write(rawPeer.hello);
    await events.seen('connection-opened', 2_000);
    expect(downstream.connections).toBe(2_000);
    for (const [index, socket] of sockets.entries()) {
      if (index % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
    }
    await events.seen('connection-closed', 2_000);
    expect(downstream.connections).toBe(0);
    expect(events.all).toHaveLength(4_000);
    expect((await call(grpcClient(port), [])).status.code).toBe(Code.OK);
  });

  it('has nothing left of connections that drop with calls on them', async () => {
    const { handler, next } = heldCalls();
    const { port, events, downstream } = await startDownstream({ handler });
    const sessions = Array.from({ length: 50 }, () => http2Client(port));
    for (const session of sessions) session.request(GRPC_HEADERS).on('error', () => {});
    const calls = await Promise.all(sessions.map(() => next()));
    for (const session of sessions) session.destroy();
    await events.seen('connection-closed', 50);
    expect(downstream.connections).toBe(0);
    expect(calls.every((one) => one.cancelled)).toBe(true);
  });
});

describe('a peer that is silent', () => {
  it('after its preface is pinged, and dropped when it does not answer', async () => {
    const clock = new ManualClock();
    const { port, events, downstream } = await startDownstream({ clock });
    const socket = await tcp(port);
    socket.write(rawPeer.hello);
    // Its first frame has come when the wait for the first ping has begun.
    await until(() => clock.nextTimerInMs === 30_000);
    clock.advance(30_000);
    expect(downstream.connections).toBe(1);
    clock.advance(9_999);
    expect(events.of('connection-closed')).toEqual([]);
    clock.advance(1);
    await closed(socket);
    await events.seen('connection-closed');
    expect(events.of('connection-closed')).toEqual([{ kind: 'connection-closed', reason: 'ping-timeout' }]);
    expect(downstream.connections).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('but answers pings stays for as long as it likes', async () => {
    const clock = new ManualClock();
    const { port, events, downstream } = await startDownstream({ clock });
    const session = http2Client(port);
    await request(session, {});
    for (let round = 0; round < 5; round++) {
      clock.advance(30_000);
      // The answer is in when the wait for the next ping has begun.
      await until(() => (clock.nextTimerInMs ?? 0) > 10_000);
    }
    expect(downstream.connections).toBe(1);
    expect(events.of('connection-closed')).toEqual([]);
  });

  it('and does not even take what is sent is dropped all the same', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port, events } = await startDownstream({ clock, handler });
    const socket = await tcp(port);
    socket.pause();
    rawPeer.send(socket, rawPeer.greedyHello(), rawPeer.headers(1));
    const incoming = await next();
    void incoming.sendMessage(Buffer.alloc(64 * 1024 * 1024));
    clock.advance(40_000);
    await events.seen('connection-closed');
    expect(events.of('connection-closed')).toEqual([{ kind: 'connection-closed', reason: 'ping-timeout' }]);
    expect(incoming.cancelled).toBe(true);
  });
});

function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => (holds() ? resolve() : setImmediate(look));
    look();
  });
}
