import { describe, expect, it } from 'vitest';
import { createRecentlyCut } from '../../src/downstream/recently-cut.js';
import { framed } from '../support/framed.js';
import { ManualClock } from '../support/manual-clock.js';
import { closed, http2Client, request, startDownstream, tcp } from './harness.js';
import { rawPeer } from './raw-peer.js';

const AGAIN = framed(Buffer.from('x'));
const pings = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => rawPeer.ping()));

async function startCut() {
  const clock = new ManualClock();
  const started = await startDownstream({ clock, limits: { pingsPerSecond: 5, connectionsPerAddress: 3 } });
  const cut = async (): Promise<void> => {
    const before = started.events.of('connection-closed').length;
    const socket = await tcp(started.port);
    rawPeer.send(socket, rawPeer.hello, pings(20));
    await closed(socket);
    await started.events.seen('connection-closed', before + 1);
  };
  return { ...started, clock, cut };
}

describe('an address from which a connection was cut off', () => {
  it('waits as long as it is told, half a second at the most, and no other address with it', () => {
    const clock = new ManualClock();
    const recentlyCut = createRecentlyCut(clock);
    expect(recentlyCut.waitMs('127.0.0.1')).toBe(0);
    recentlyCut.add('127.0.0.1', 200);
    recentlyCut.add('127.0.0.2', Number.POSITIVE_INFINITY);
    recentlyCut.add('127.0.0.2', 100);
    expect(['127.0.0.1', '127.0.0.2', '127.0.0.3'].map(recentlyCut.waitMs)).toEqual([200, 500, 0]);
    clock.advance(300);
    expect(['127.0.0.1', '127.0.0.2'].map(recentlyCut.waitMs)).toEqual([0, 225]);
  });

  it('waits for longer the more of its connections are cut off', () => {
    const clock = new ManualClock();
    const recentlyCut = createRecentlyCut(clock);
    for (let times = 0; times < 10; times++) recentlyCut.add('127.0.0.1', 5);
    expect(recentlyCut.waitMs('127.0.0.1')).toBe(50);
    clock.advance(75);
    for (let times = 0; times < 1_000; times++) recentlyCut.add('127.0.0.1', 5);
    expect(recentlyCut.waitMs('127.0.0.1')).toBe(500);
  });

  it('has those that come meanwhile served one after the other, a second later at the most', () => {
    const recentlyCut = createRecentlyCut(new ManualClock());
    recentlyCut.add('127.0.0.1', 500);
    const waits = Array.from({ length: 50 }, () => recentlyCut.waitMs('127.0.0.1'));
    expect(waits.slice(0, 3)).toEqual([500, 525, 550]);
    expect(waits.slice(-2)).toEqual([1_000, 1_000]);
    recentlyCut.add('127.0.0.1', 500);
    expect(recentlyCut.waitMs('127.0.0.1')).toBe(1_000);
  });

  it('has few streams on its next connection for a second, and then as many as everybody', async () => {
    const { port, events, clock, cut } = await startCut();
    await cut();
    const client = http2Client(port);
    const allowed = new Promise<number[]>((resolve) => {
      const seen: number[] = [];
      client.on('remoteSettings', ({ maxConcurrentStreams = 0 }) => {
        seen.push(maxConcurrentStreams);
        if (seen.length === 1) clock.advance(1_000);
        else resolve(seen);
      });
    });
    await events.seen('connection-delayed');
    clock.advance(500);
    expect(await allowed).toEqual([100, 256]);
  });

  it('has its next connection, and who shares it, served half a second later', async () => {
    const { port, events, clock, cut } = await startCut();
    await cut();
    const answer = request(http2Client(port), {}, AGAIN);
    await events.seen('connection-delayed');
    clock.advance(499);
    expect(events.of('connection-opened')).toHaveLength(1);
    clock.advance(1);
    expect((await answer).trailers['grpc-status']).toBe('0');
  });

  it('is not held up on connections that it has', async () => {
    const { port, events, cut } = await startCut();
    const session = http2Client(port);
    await request(session, {}, AGAIN);
    await cut();
    expect((await request(session, {}, AGAIN)).trailers['grpc-status']).toBe('0');
    expect(events.of('connection-delayed')).toEqual([]);
  });

  it('may go while it waits, and then counts as gone', async () => {
    const { port, events, clock, cut, downstream } = await startCut();
    await cut();
    const waiting = [await tcp(port), await tcp(port), await tcp(port)];
    await events.seen('connection-delayed', 3);
    await closed(await tcp(port));
    expect(events.of('connection-refused')).toMatchObject([{ reason: 'max-per-address' }]);
    for (const socket of waiting) socket.destroy();
    clock.advance(1_000);
    await events.seen('connection-closed', 4);
    expect([downstream.connections, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('is told to come again if the gateway stops meanwhile', async () => {
    const { port, events, clock, cut, downstream } = await startCut();
    await cut();
    const socket = await tcp(port);
    await events.seen('connection-delayed');
    const drained = downstream.drain(clock.nowMs() + 1_000);
    clock.advance(500);
    await closed(socket);
    expect(events.of('connection-refused')).toMatchObject([{ reason: 'draining' }]);
    expect(await drained).toEqual({ clean: true });
  });

  it('waits for a moment only after the mistake of a client', async () => {
    const clock = new ManualClock();
    const { port, events } = await startDownstream({ clock });
    const socket = await tcp(port);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await closed(socket);
    await events.seen('connection-closed');
    expect(events.of('connection-closed')).toMatchObject([{ reason: 'protocol-error' }]);
    const answer = request(http2Client(port), {}, AGAIN);
    await events.seen('connection-delayed');
    clock.advance(5);
    expect((await answer).trailers['grpc-status']).toBe('0');
  });
});

describe('who has been cut off', () => {
  it('waits, too, if he is back in the very turn in which he is cut off', async () => {
    const clock = new ManualClock();
    const { port, events } = await startDownstream({ clock, limits: { pingsPerSecond: 5 } });
    const socket = await tcp(port);
    const again = events.seen('limit-reached').then(() => tcp(port));
    rawPeer.send(socket, rawPeer.hello, pings(20));
    await again;
    await events.until(
      () => events.of('connection-opened').length + events.of('connection-delayed').length > 1,
    );
    expect(events.of('connection-delayed')).toHaveLength(1);
  });
});

describe('a connection from where another one was cut off', () => {
  it('has no burst of its own to speak of', async () => {
    const { port, events, clock, cut } = await startCut();
    await cut();
    const socket = await tcp(port);
    await events.seen('connection-delayed');
    clock.advance(500);
    rawPeer.send(socket, rawPeer.hello, pings(4));
    await closed(socket);
    await events.seen('connection-closed', 2);
    expect(events.of('limit-reached').map(({ limit }) => limit)).toEqual(['pings', 'pings']);
  });
});
