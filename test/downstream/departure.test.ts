import http2 from 'node:http2';
import { Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type { Downstream } from '../../src/downstream/engine.js';
import type { Departure } from '../../src/rpc/call.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import { OK_STATUS } from '../../src/rpc/status.js';
import { ManualClock } from '../support/manual-clock.js';
import { GRPC_HEADERS, grpcClient, heldCalls, raw, startDownstream, tcp } from './harness.js';
import { beat, departureOf, goawayOn, openCall, overTls, TLS } from './leaving.js';
import { rawPeer } from './raw-peer.js';

const NO_ERROR = 0;
const PROTOCOL_ERROR = 1;
const INTERNAL_ERROR = 2;
const CANCEL = 8;
/** Each of them is a race that ends one way or the other. */
const ROUNDS = 40;

type Peer = Awaited<ReturnType<typeof openCall>>;

/** What a peer does, and how its call has left then. */
const ENDINGS: readonly [string, (peer: Peer) => void, Departure][] = [
  ['resets its stream', ({ send }) => send(rawPeer.reset(1, CANCEL)), 'cancelled'],
  ['resets its stream without an error', ({ send }) => send(rawPeer.reset(1, NO_ERROR)), 'cancelled'],
  [
    'resets its stream because of an error',
    ({ send }) => send(rawPeer.reset(1, INTERNAL_ERROR)),
    'cancelled',
  ],
  [
    'resets its stream behind a last message',
    ({ send }) => send(beat(1), rawPeer.reset(1, CANCEL)),
    'cancelled',
  ],
  ['resets its stream and closes', ({ socket }) => void socket.end(rawPeer.reset(1, CANCEL)), 'cancelled'],
  [
    'resets its stream and breaks the connection',
    ({ socket, send }) => {
      send(rawPeer.reset(1, CANCEL));
      socket.destroy();
    },
    'cancelled',
  ],
  [
    'resets its stream, says GOAWAY and closes',
    ({ socket }) => void socket.end(Buffer.concat([rawPeer.reset(1, CANCEL), rawPeer.goaway(NO_ERROR)])),
    'cancelled',
  ],
  [
    'says GOAWAY and then resets its stream',
    ({ send }) => send(rawPeer.goaway(NO_ERROR), rawPeer.reset(1, CANCEL)),
    'cancelled',
  ],
  ['closes the connection', ({ socket }) => void socket.end(), 'connection-lost'],
  [
    'closes the connection behind a last message',
    ({ socket }) => void socket.end(beat(1)),
    'connection-lost',
  ],
  ['breaks the connection', ({ socket }) => void socket.destroy(), 'connection-lost'],
  ['says GOAWAY and closes', ({ socket }) => void socket.end(rawPeer.goaway(NO_ERROR)), 'connection-lost'],
  ['says GOAWAY because of an error', ({ send }) => send(rawPeer.goaway(INTERNAL_ERROR)), 'connection-lost'],
  [
    'says GOAWAY because of an error and closes',
    ({ socket }) => void socket.end(rawPeer.goaway(PROTOCOL_ERROR)),
    'connection-lost',
  ],
];

describe('a caller', () => {
  it.each(ENDINGS)('that %s', async (_does, leave, departure) => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    for (let round = 0; round < ROUNDS; round++) {
      const peer = await openCall(port, next);
      expect(peer.incoming.departure).toBeUndefined();
      leave(peer);
      expect(await departureOf(peer.incoming)).toBe(departure);
      expect(peer.incoming.cancelled).toBe(true);
    }
  });

  it.each(ENDINGS)('over TLS that %s', async (_does, leave, departure) => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler, tls: TLS });
    const peer = await openCall(port, next, {}, overTls);
    leave(peer);
    expect(await departureOf(peer.incoming)).toBe(departure);
  });

  it('that breaks the connection by a TCP reset has lost it', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const { incoming, socket } = await openCall(port, next);
    socket.resetAndDestroy();
    expect(await departureOf(incoming)).toBe('connection-lost');
  });

  it('that says GOAWAY has not left', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const socket = await tcp(port);
    rawPeer.send(socket, rawPeer.hello, rawPeer.headers(1), beat(1));
    const incoming = await next();
    await incoming.read();
    rawPeer.send(socket, rawPeer.goaway(NO_ERROR), beat(1));
    expect(String(await incoming.read())).toBe('beat');
    expect(incoming.cancelled).toBe(false);
    expect(incoming.departure).toBeUndefined();
  });

  it('leaves stream by stream: what is reset is cancelled, the rest loses its connection', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const { incoming: first, socket } = await openCall(port, next);
    rawPeer.send(socket, rawPeer.headers(3), beat(3), rawPeer.headers(5), beat(5));
    const [second, third] = [await next(), await next()];
    socket.end(Buffer.concat([rawPeer.reset(1, CANCEL), rawPeer.reset(5, CANCEL)]));
    expect(await departureOf(second)).toBe('connection-lost');
    expect([first.departure, third.departure]).toEqual(['cancelled', 'cancelled']);
  });

  it('that has half-closed and then goes has lost its connection', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const socket = await tcp(port);
    rawPeer.send(socket, rawPeer.hello, rawPeer.headers(1), beat(1), rawPeer.halfClose(1));
    const incoming = await next();
    expect(String(await incoming.read())).toBe('beat');
    expect(await incoming.read()).toBeUndefined();
    expect(incoming.departure).toBeUndefined();
    socket.destroy();
    expect(await departureOf(incoming)).toBe('connection-lost');
  });

  it('that has half-closed and closes at once is heard to half-close', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    for (let round = 0; round < ROUNDS; round++) {
      const socket = await tcp(port);
      socket.resume();
      rawPeer.send(socket, rawPeer.hello, rawPeer.headers(1), beat(1));
      const incoming = await next();
      await incoming.read();
      const read = incoming.read();
      socket.end(rawPeer.halfClose(1));
      expect(await read).toBeUndefined();
    }
  });

  it('that answers no ping has lost its connection', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({
      handler,
      clock,
      ping: { intervalMs: 30_000, timeoutMs: 10_000 },
    });
    const { incoming } = await openCall(port, next);
    clock.advance(30_000);
    clock.advance(9_999);
    expect(incoming.departure).toBeUndefined();
    clock.advance(1);
    expect(await departureOf(incoming)).toBe('connection-lost');
  });

  it.each([
    ['sends what is no HTTP/2', Buffer.alloc(64, 'no frame')],
    ['sends a frame that a connection must not have', beat(0)],
  ])('that %s has lost its connection, as soon as we let go of it', async (_does, frames) => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler, clock });
    const { incoming, socket, send } = await openCall(port, next);
    const refused = goawayOn(socket);
    send(frames);
    await refused;
    // node:http2 has stopped listening to this peer without a word to us; the next ping finds out.
    clock.advance(30_000);
    clock.advance(10_000);
    expect(await departureOf(incoming)).toBe('connection-lost');
  });

  it('that is still there at its deadline waits no longer', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler, clock });
    const { incoming } = await openCall(port, next, { 'grpc-timeout': '2S' });
    clock.advance(1_999);
    expect(incoming.departure).toBeUndefined();
    clock.advance(33);
    expect(incoming.departure).toBe('deadline');
  });

  it('that resets its stream at its deadline, before we have noticed, waits no longer', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler, clock });
    const { incoming, send } = await openCall(port, next, { 'grpc-timeout': '2010m' });
    clock.advance(2_010);
    expect(incoming.departure).toBeUndefined();
    send(rawPeer.reset(1, CANCEL));
    expect(await departureOf(incoming)).toBe('deadline');
  });

  it('does not leave again: the first way stands', async () => {
    const { handler, next } = heldCalls();
    const { port, downstream, events } = await startDownstream({ handler });
    const { incoming, socket, send } = await openCall(port, next);
    send(rawPeer.reset(1, CANCEL));
    await departureOf(incoming);
    socket.destroy();
    await events.seen('connection-closed');
    expect(downstream.connections).toBe(0);
    expect(incoming.departure).toBe('cancelled');
  });

  it('that has been answered does not leave', async () => {
    const { handler, next } = heldCalls();
    const { port, events } = await startDownstream({ handler });
    const { incoming, socket } = await openCall(port, next);
    incoming.end(OK_STATUS, NO_METADATA);
    socket.destroy();
    await events.seen('connection-closed');
    expect(incoming.departure).toBeUndefined();
  });
});

const STOPS: readonly [string, (downstream: Downstream, nowMs: number) => unknown][] = [
  ['ends calls at the end of its drain', (downstream, nowMs) => downstream.drain(nowMs + 1_000)],
  ['closes without a drain', (downstream) => downstream.close()],
];

describe('a gateway that stops', () => {
  it.each(STOPS)('and %s has ended them itself', async (_how, stop) => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port, downstream } = await startDownstream({ handler, clock });
    const { incoming } = await openCall(port, next);
    void stop(downstream, clock.nowMs());
    clock.advance(1_000);
    expect(await departureOf(incoming)).toBe('ended-here');
  });

  it('is not what ends the call of a caller whose connection is lost during the drain', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port, downstream } = await startDownstream({ handler, clock });
    const { incoming, socket } = await openCall(port, next);
    void downstream.drain(clock.nowMs() + 60_000);
    socket.destroy();
    expect(await departureOf(incoming)).toBe('connection-lost');
  });
});

describe('a client of', () => {
  it('grpc-js that cancels its stream is seen to cancel', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const stream = grpcClient(port).makeBidiStreamRequest('/s/m', raw, raw, new Metadata());
    stream.on('error', () => {});
    stream.resume();
    const incoming = await next();
    stream.cancel();
    expect(await departureOf(incoming)).toBe('cancelled');
  });

  it('node:http2 whose socket is destroyed is seen to lose its connection', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const socket = await tcp(port);
    const session = http2.connect('http://gateway', { createConnection: () => socket });
    session.on('error', () => {});
    session.request(GRPC_HEADERS).on('error', () => {});
    const incoming = await next();
    socket.destroy();
    expect(await departureOf(incoming)).toBe('connection-lost');
  });
});
