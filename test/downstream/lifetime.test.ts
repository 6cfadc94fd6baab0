import { status as Code, Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import type { Call } from '../../src/rpc/call.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import { OK_STATUS } from '../../src/rpc/status.js';
import { framed } from '../support/framed.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  call,
  GRPC_HEADERS,
  grpcClient,
  heldCalls,
  http2Client,
  raw,
  replyOf,
  request,
  startDownstream,
  tcp,
} from './harness.js';
import { rawPeer } from './raw-peer.js';

const MIB = 1024 * 1024;
/** Of RST_STREAM. */
const NO_ERROR = 0;
const CANCEL = 8;

async function rejectionOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'nothing';
  } catch (error) {
    return error instanceof GatewayError ? error.code : `not ours: ${error}`;
  }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason);
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true }),
  );
}

/** A call that stays open, of a peer that the test drives by hand. */
async function openCall(port: number, next: () => Promise<Call>) {
  const socket = await tcp(port);
  socket.resume();
  rawPeer.send(socket, rawPeer.hello, rawPeer.headers(1), rawPeer.data(1, framed(Buffer.from('one'))));
  const incoming = await next();
  return { incoming, reset: (code: number) => rawPeer.send(socket, rawPeer.reset(1, code)) };
}

describe('a cancelled call', () => {
  it('aborts the signal, and the read that is waiting', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const { reset, incoming } = await openCall(port, next);
    expect(String(await incoming.read())).toBe('one');
    const read = rejectionOf(incoming.read());
    expect(incoming.cancelled).toBe(false);
    expect(incoming.signal.aborted).toBe(false);
    reset(CANCEL);
    expect(await aborted(incoming.signal)).toMatchObject({ code: 'caller-cancelled' });
    expect(await read).toBe('caller-cancelled');
    expect(incoming.cancelled).toBe(true);
  });

  it('has an aborted signal for whoever asks only then, and takes no more reads', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const { reset, incoming } = await openCall(port, next);
    await incoming.read();
    const read = rejectionOf(incoming.read());
    reset(CANCEL);
    expect(await read).toBe('caller-cancelled');
    expect(incoming.signal.aborted).toBe(true);
    expect(incoming.signal.reason).toMatchObject({ code: 'caller-cancelled' });
    expect(await rejectionOf(incoming.read())).toBe('caller-cancelled');
  });

  it('may be written to without harm', async () => {
    const { handler, next } = heldCalls();
    const { port, events } = await startDownstream({ handler });
    const { reset, incoming } = await openCall(port, next);
    reset(CANCEL);
    await aborted(incoming.signal);
    incoming.sendHeaders({ a: 'b' });
    await incoming.sendMessage(Buffer.alloc(MIB));
    incoming.end(OK_STATUS, NO_METADATA);
    expect(events.of('internal-error')).toEqual([]);
  });

  it('is what a lost connection makes of every call on it', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const session = http2Client(port);
    const streams = [1, 2, 3].map(() => session.request(GRPC_HEADERS));
    for (const stream of streams) stream.on('error', () => {});
    const calls = [await next(), await next(), await next()];
    const reads = calls.map((one) => rejectionOf(one.read()));
    session.destroy();
    expect(await Promise.all(reads)).toEqual(['caller-cancelled', 'caller-cancelled', 'caller-cancelled']);
  });

  it('is noticed where it comes as a reset without an error, too', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const { reset, incoming } = await openCall(port, next);
    await incoming.read();
    const read = rejectionOf(incoming.read());
    reset(NO_ERROR);
    expect(await read).toBe('caller-cancelled');
  });

  it('is noticed while a message waits that nobody reads', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const { reset, incoming } = await openCall(port, next);
    reset(CANCEL);
    expect(await aborted(incoming.signal)).toMatchObject({ code: 'caller-cancelled' });
    expect(await rejectionOf(incoming.read())).toBe('caller-cancelled');
  });

  it('of a grpc-js client half-closes first, and is a cancellation still', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const stream = grpcClient(port).makeBidiStreamRequest('/s/m', raw, raw, new Metadata());
    stream.on('error', () => {});
    stream.resume();
    const incoming = await next();
    stream.cancel();
    expect(await aborted(incoming.signal)).toMatchObject({ code: 'caller-cancelled' });
    expect(incoming.cancelled).toBe(true);
  });

  it('reset in the same packet reaches no handler, or reaches it as cancelled, and costs nothing', async () => {
    const { handler, next } = heldCalls();
    const { port, events } = await startDownstream({ handler });
    const socket = await tcp(port);
    const frames = [1, 3, 5].flatMap((id) => [rawPeer.headers(id), rawPeer.reset(id, CANCEL)]);
    rawPeer.send(socket, rawPeer.hello, ...frames, rawPeer.headers(7, { 'x-last': 'yes' }));
    let incoming = await next();
    while (!incoming.metadata['x-last']) {
      await aborted(incoming.signal);
      incoming = await next();
    }
    expect(incoming.cancelled).toBe(false);
    expect(events.of('internal-error')).toEqual([]);
  });

  it('is no cancellation once the call has been answered', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const client = grpcClient(port);
    const outcome = call(client, []);
    const incoming = await next();
    incoming.end(OK_STATUS, NO_METADATA);
    await outcome;
    client.close();
    expect(incoming.cancelled).toBe(false);
    expect(incoming.signal.aborted).toBe(false);
  });
});

describe('a deadline', () => {
  it('is on the monotonic clock, and none is none', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler, clock });
    const session = http2Client(port);
    void request(session, { 'grpc-timeout': '1500m' });
    expect((await next()).deadlineMs).toBe(clock.nowMs() + 1_500);
    void request(session, {});
    expect((await next()).deadlineMs).toBeUndefined();
  });

  it('that passes ends the call and aborts the signal, saying why', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler, clock });
    // It is not half-closed, so that there is something to wait for.
    const reply = replyOf(http2Client(port).request({ ...GRPC_HEADERS, 'grpc-timeout': '2S' }));
    const incoming = await next();
    const read = rejectionOf(incoming.read());
    const { signal } = incoming;
    clock.advance(1_999);
    expect(signal.aborted).toBe(false);
    clock.advance(33);
    expect(signal.reason).toMatchObject({ code: 'deadline-exceeded' });
    expect(await read).toBe('deadline-exceeded');
    expect((await reply).headers['grpc-status']).toBe(String(Code.DEADLINE_EXCEEDED));
    incoming.end(OK_STATUS, NO_METADATA);
  });

  it('that passes ends a call that has begun to answer, and whose signal nobody asked for', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler, clock });
    const reply = request(http2Client(port), { 'grpc-timeout': '1S' });
    const incoming = await next();
    await incoming.sendMessage(Buffer.from('first'));
    clock.advance(1_032);
    expect(incoming.cancelled).toBe(true);
    expect((await reply).trailers['grpc-status']).toBe(String(Code.DEADLINE_EXCEEDED));
    expect((await reply).body).toEqual(framed(Buffer.from('first')));
  });

  it('leaves no timer behind once its call has been answered', async () => {
    const clock = new ManualClock();
    const { port } = await startDownstream({ clock });
    const session = http2Client(port);
    await request(session, {});
    const idle = clock.pendingTimers;
    await Promise.all(
      ['1S', '1S', '5S', '1H'].map((timeout) => request(session, { 'grpc-timeout': timeout })),
    );
    // The stream of the server closes at the latest before the next request on its connection is answered.
    await request(session, {});
    expect(clock.pendingTimers).toBe(idle);
  });
});
