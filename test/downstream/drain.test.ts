import { status as Code, Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import { OK_STATUS } from '../../src/rpc/status.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  call,
  closed,
  deferred,
  GRPC_HEADERS,
  grpcClient,
  heldCalls,
  http2Client,
  raw,
  replyOf,
  startDownstream,
  tcp,
} from './harness.js';
import { rawPeer } from './raw-peer.js';

const DRAIN_MS = 25_000;

describe('a drain', () => {
  it('lets a call in flight finish, and is clean then', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port, downstream, events } = await startDownstream({ clock, handler });
    const session = http2Client(port);
    const goaway = deferred<number>();
    session.on('goaway', (code) => goaway.resolve(code));
    const reply = replyOf(session.request(GRPC_HEADERS, { endStream: true }));
    const incoming = await next();
    const drained = downstream.drain(clock.nowMs() + DRAIN_MS);
    expect(await goaway.promise).toBe(0);
    clock.advance(DRAIN_MS - 1_000);
    expect(incoming.cancelled).toBe(false);
    await incoming.sendMessage(Buffer.from('in time'));
    incoming.end(OK_STATUS, NO_METADATA);
    expect((await reply).trailers['grpc-status']).toBe('0');
    expect(await drained).toEqual({ clean: true });
    expect(downstream.connections).toBe(0);
    expect(events.of('connection-closed')).toEqual([{ kind: 'connection-closed', reason: 'drain' }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('finishes large answers that are on their way', async () => {
    const answer = Buffer.alloc(20 * 1024 * 1024, 'abc');
    const { handler, next } = heldCalls();
    const clock = new ManualClock();
    const { port, downstream } = await startDownstream({ clock, handler });
    const outcome = call(grpcClient(port), []);
    const incoming = await next();
    const sent = incoming.sendMessage(answer);
    const drained = downstream.drain(clock.nowMs() + DRAIN_MS);
    await sent;
    incoming.end(OK_STATUS, NO_METADATA);
    const { messages, status } = await outcome;
    expect(status.code).toBe(Code.OK);
    expect(messages[0]?.equals(answer)).toBe(true);
    expect(await drained).toEqual({ clean: true });
  });

  it('tells a call that does not finish to come back, and is not clean', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port, downstream } = await startDownstream({ clock, handler });
    const client = grpcClient(port);
    const stream = client.makeBidiStreamRequest('/manager.v2.Manager/KeepAlive', raw, raw, new Metadata());
    stream.on('error', () => {});
    stream.resume();
    const status = new Promise<{ code: number; details: string }>((resolve) =>
      stream.once('status', resolve),
    );
    stream.write(Buffer.from('beat'));
    const incoming = await next();
    const drained = downstream.drain(clock.nowMs() + DRAIN_MS);
    clock.advance(DRAIN_MS - 501);
    expect(incoming.cancelled).toBe(false);
    clock.advance(1);
    expect(await status).toMatchObject({
      code: Code.UNAVAILABLE,
      details: 'manager-gateway is stopping; connect again',
    });
    expect(incoming.signal.reason).toMatchObject({ code: 'draining' });
    expect(await drained).toEqual({ clean: false });
    expect(downstream.connections).toBe(0);
  });

  it('cuts at its deadline what does not take its answer', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port, downstream } = await startDownstream({ clock, handler });
    const socket = await tcp(port);
    socket.pause();
    rawPeer.send(socket, rawPeer.greedyHello(), rawPeer.headers(1));
    const incoming = await next();
    void incoming.sendMessage(Buffer.alloc(64 * 1024 * 1024));
    const drained = downstream.drain(clock.nowMs() + DRAIN_MS);
    clock.advance(DRAIN_MS);
    expect(await drained).toEqual({ clean: false });
    expect(downstream.connections).toBe(0);
  });

  it('does not wait long for a peer that has no call and does not close', async () => {
    const clock = new ManualClock();
    const { downstream, port, events } = await startDownstream({ clock });
    const socket = await tcp(port);
    socket.pause();
    // Half-open for ever: an answer to our FIN never comes.
    socket.allowHalfOpen = true;
    rawPeer.send(socket, rawPeer.hello);
    await events.seen('connection-opened');
    const drained = downstream.drain(clock.nowMs() + DRAIN_MS);
    clock.advance(2_000);
    expect(await drained).toEqual({ clean: true });
  });

  it('of an idle listener is done at once, and nothing can connect any more', async () => {
    const { downstream, port } = await startDownstream();
    const client = grpcClient(port);
    await call(client, []);
    expect(await downstream.drain(Number.MAX_SAFE_INTEGER)).toEqual({ clean: true });
    const { status } = await call(client, []);
    expect(status.code).toBe(Code.UNAVAILABLE);
  });

  it('asked for twice is one', async () => {
    const { downstream } = await startDownstream();
    expect(await Promise.all([downstream.drain(0), downstream.drain(0)])).toEqual([
      { clean: true },
      { clean: true },
    ]);
  });
});

describe('closing', () => {
  it('cuts everything at once, calls in flight and silent peers included', async () => {
    const { handler, next } = heldCalls();
    const { downstream, port, events } = await startDownstream({ handler });
    const silent = await tcp(port);
    const outcome = call(grpcClient(port), []);
    const incoming = await next();
    downstream.close();
    await closed(silent);
    expect((await outcome).status.code).toBe(Code.UNAVAILABLE);
    await events.seen('connection-closed', 2);
    expect(incoming.cancelled).toBe(true);
    expect(downstream.connections).toBe(0);
  });

  it('ends a drain that is under way', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { downstream, port } = await startDownstream({ handler, clock });
    void call(grpcClient(port), []);
    await next();
    const drained = downstream.drain(clock.nowMs() + DRAIN_MS);
    downstream.close();
    expect(await drained).toEqual({ clean: false });
  });
});
