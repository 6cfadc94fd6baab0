import http2 from 'node:http2';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { framed } from '../support/framed.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/until.js';
import { closed, echo, http2Client, request, startDownstream, tcp } from './harness.js';
import { rawPeer } from './raw-peer.js';

const PREFACE_BYTES = 24;
const AT_ONCE = 400;
const HELLO = framed(Buffer.from('hello'));

let sessions: MockInstance<typeof http2.performServerHandshake>;

beforeEach(() => {
  sessions = vi.spyOn(http2, 'performServerHandshake');
});

afterEach(() => {
  sessions.mockRestore();
});

describe('a connection that has not said what it speaks', () => {
  it('costs no session until the last byte of the preface has come', async () => {
    const { port, events, downstream } = await startDownstream();
    const socket = await tcp(port);
    socket.write(rawPeer.hello.subarray(0, PREFACE_BYTES - 1));
    await events.seen('connection-opened');
    // Who comes later is answered, so that what came before has been read.
    expect((await request(http2Client(port), {}, HELLO)).body).toEqual(HELLO);
    expect(sessions).toHaveBeenCalledTimes(1);
    expect(downstream.connections).toBe(2);
    const settings = new Promise((resolve) => socket.once('data', resolve));
    socket.write(rawPeer.hello.subarray(PREFACE_BYTES - 1));
    await settings;
    expect(sessions).toHaveBeenCalledTimes(2);
    expect(events.of('connection-opened')).toHaveLength(2);
  });

  it('may say it byte by byte, its first call with it', async () => {
    const { port } = await startDownstream();
    const socket = await tcp(port);
    socket.setNoDelay();
    const received: Buffer[] = [];
    socket.on('data', (chunk) => received.push(chunk));
    const all = Buffer.concat([
      rawPeer.hello,
      rawPeer.headers(1),
      rawPeer.data(1, HELLO),
      rawPeer.halfClose(1),
    ]);
    for (const byte of all)
      await new Promise<unknown>((resolve) => socket.write(Buffer.from([byte]), resolve));
    await until('the answer has come', () => Buffer.concat(received).includes(HELLO));
  });

  it('may say it together with a call without a message, whose end is heard by who begins to read later', async () => {
    let answered = false;
    const { port } = await startDownstream({
      handler: async (call) => {
        for (let times = 0; times < 3; times++) await new Promise(setImmediate);
        await echo(call);
        answered = true;
      },
    });
    const socket = await tcp(port);
    socket.write(Buffer.concat([rawPeer.hello, rawPeer.headers(1), rawPeer.halfClose(1)]));
    await until('it has been answered', () => answered);
  });

  it('is refused with the first byte that is none of a preface', async () => {
    const { port, events } = await startDownstream({ clock: new ManualClock() });
    const socket = await tcp(port);
    socket.write('PRI * HTTP/1');
    await closed(socket);
    await events.seen('connection-closed');
    expect(events.of('connection-closed')).toMatchObject([{ reason: 'protocol-error' }]);
    expect(events.of('bad-input')).toMatchObject([{ reason: 'protocol' }]);
  });

  it('is closed when the gateway stops, which waits for nothing of it', async () => {
    const clock = new ManualClock();
    const { port, events, downstream } = await startDownstream({ clock });
    const socket = await tcp(port);
    socket.write(rawPeer.hello.subarray(0, 3));
    await events.seen('connection-opened');
    const drained = downstream.drain(clock.nowMs() + 1_000);
    await closed(socket);
    expect(await drained).toEqual({ clean: true });
    expect(events.of('connection-closed')).toMatchObject([{ reason: 'drain' }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('has no more time for its first frame than if it had said nothing', async () => {
    const clock = new ManualClock();
    const { port, events } = await startDownstream({ clock });
    const socket = await tcp(port);
    await events.seen('connection-opened');
    clock.advance(9_000);
    const began = new Promise<void>((resolve) => {
      sessions.mockImplementationOnce((...args) => {
        resolve();
        return http2.performServerHandshake(...args);
      });
    });
    socket.write(rawPeer.hello.subarray(0, PREFACE_BYTES));
    await began;
    clock.advance(999);
    expect(socket.destroyed).toBe(false);
    clock.advance(1);
    await closed(socket);
    await events.seen('connection-closed');
    expect(events.of('connection-closed')).toMatchObject([{ reason: 'first-frame' }]);
  });
});

it('of those that speak all at once a few get their session in a turn of the event loop, so that nobody waits for them all', async () => {
  const { port, events } = await startDownstream();
  const sockets = await Promise.all(Array.from({ length: AT_ONCE }, () => tcp(port)));
  // libuv accepts one in a turn.
  await events.seen('connection-opened', AT_ONCE);
  const byTurn: number[] = [];
  let before = 0;
  const next = (): void => {
    byTurn.push(sessions.mock.calls.length - before);
    before = sessions.mock.calls.length;
    if (before < AT_ONCE) setImmediate(next);
  };
  setImmediate(next);
  for (const socket of sockets) socket.write(rawPeer.hello);
  await until('all have one', () => before === AT_ONCE);
  expect(Math.max(...byTurn)).toBeLessThan(AT_ONCE / 2);
});
