import { once } from 'node:events';
import { constants } from 'node:http2';
import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { createConnectionsByAddress } from '../../src/downstream/connections-by-address.js';
import { createMemoryWatch } from '../../src/downstream/memory-watch.js';
import { createRateLimit } from '../../src/downstream/rate-limit.js';
import { GatewayError } from '../../src/errors.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import { OK_STATUS } from '../../src/rpc/status.js';
import { framed } from '../support/framed.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/until.js';
import { closed, heldCalls, http2Client, request, startDownstream, tcp } from './harness.js';
import { rawPeer } from './raw-peer.js';

const statusOf = ({ headers, trailers }: Awaited<ReturnType<typeof request>>): number =>
  Number(trailers['grpc-status'] ?? headers['grpc-status']);

/** So many, in chunks that a socket takes. */
const many = (count: number, one: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => one(index)));

describe('a connection', () => {
  it('that says nothing is closed after server.limits.firstFrameTimeout, half a preface or none', async () => {
    const clock = new ManualClock();
    const { port, events } = await startDownstream({ clock });
    const [silent, half] = [await tcp(port), await tcp(port)];
    half.write(rawPeer.hello.subarray(0, 20));
    await events.seen('connection-opened', 2);
    clock.advance(9_999);
    expect([silent.destroyed, half.destroyed]).toEqual([false, false]);
    clock.advance(1);
    await Promise.all([closed(silent), closed(half)]);
    await events.seen('connection-closed', 2);
    expect(events.of('connection-closed').map(({ reason }) => reason)).toEqual([
      'first-frame',
      'first-frame',
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('without a call for server.limits.idleTimeout is told to go, with a call it is not', async () => {
    const clock = new ManualClock();
    const { handler, next } = heldCalls();
    const { port, events } = await startDownstream({ clock, handler, limits: { idleTimeoutMs: 60_000 } });
    const [idle, busy] = [http2Client(port), http2Client(port)];
    const goaway = once(idle, 'goaway');
    let told = false;
    busy.on('goaway', () => {
      told = true;
    });
    await Promise.all([once(idle, 'remoteSettings'), once(busy, 'remoteSettings')]);
    const call = request(busy, {}, framed(Buffer.from('x')));
    const held = await next();
    for (let round = 0; round < 2; round++) {
      clock.advance(30_000);
      // Both answer the ping; the next is due from then on.
      await until('both have answered', () => (clock.nextTimerInMs ?? 0) > 10_000);
    }
    await goaway;
    await events.seen('connection-closed');
    expect(events.of('connection-closed')).toMatchObject([{ reason: 'idle' }]);
    held.end(OK_STATUS, NO_METADATA);
    expect(statusOf(await call)).toBe(Code.OK);
    expect(told).toBe(false);
  });

  it.each([
    ['resets its calls', 'resets', (index: number) => reset(2 * index + 1)],
    ['pings', 'pings', () => rawPeer.ping()],
    ['changes its settings', 'settings', () => rawPeer.settings()],
    [
      'calls what is no gRPC',
      'refusals',
      (index: number) => rawPeer.headers(2 * index + 1, { ':method': 'PUT' }),
    ],
  ] as const)('that %s all the time is cut off, and counted', async (_name, limit, frameOf) => {
    const clock = new ManualClock();
    const rates = { resetsPerSecond: 5, pingsPerSecond: 5, settingsPerSecond: 5, refusalsPerSecond: 5 };
    const { port, events } = await startDownstream({ clock, limits: rates });
    const socket = await tcp(port);
    rawPeer.send(socket, rawPeer.hello, many(11, frameOf));
    await closed(socket);
    await events.seen('connection-closed');
    expect(events.of('connection-closed')).toMatchObject([{ reason: 'limit' }]);
    expect(events.of('limit-reached')).toMatchObject([{ limit }]);
    expect(events.of('limit-reached')[0]?.detail).toContain(`server.limits.${limit}PerSecond`);
  });

  it('that brings too much metadata is cut off at the fourth time', async () => {
    const clock = new ManualClock();
    const { port, events } = await startDownstream({ clock, maxMetadataBytes: 1_024 });
    const large = Object.fromEntries(
      Array.from({ length: 10 }, (_, at) => [`x-large-${at}`, 'x'.repeat(100)]),
    );
    const socket = await tcp(port);
    rawPeer.send(
      socket,
      rawPeer.hello,
      many(8, (index) => rawPeer.headers(2 * index + 1, large)),
    );
    await closed(socket);
    await events.seen('connection-closed');
    expect(events.of('connection-closed')).toMatchObject([{ reason: 'limit' }]);
    expect(events.of('bad-input').map(({ reason }) => reason)).toEqual(Array(4).fill('metadata'));
  });

  it('that pings with its calls, as grpc-go does to measure the link, is left alone', async () => {
    const clock = new ManualClock();
    const { port, events } = await startDownstream({ clock, limits: { pingsPerSecond: 1 } });
    const session = http2Client(port);
    for (let round = 0; round < 100; round++) {
      await request(session, {}, framed(Buffer.from('x')));
      await new Promise((acknowledged) => session.ping(acknowledged));
    }
    expect(events.of('limit-reached')).toEqual([]);
  });
});

describe('an address', () => {
  it('has no more connections than server.limits.connectionsPerAddress, and one more when one has gone', async () => {
    const { port, events } = await startDownstream({ limits: { connectionsPerAddress: 2 } });
    const [first] = [await tcp(port), await tcp(port)];
    await events.seen('connection-opened', 2);
    await closed(await tcp(port));
    expect(events.of('connection-refused')).toEqual([
      {
        kind: 'connection-refused',
        reason: 'max-per-address',
        detail: expect.stringMatching(/^2 .*\(server\.limits\.connectionsPerAddress\)$/),
      },
    ]);
    first?.destroy();
    await events.seen('connection-closed');
    expect(statusOf(await request(http2Client(port), {}, framed(Buffer.from('x'))))).toBe(Code.OK);
  });

  it('is forgotten with its last connection, and a connection closes once', () => {
    const byAddress = createConnectionsByAddress();
    const released = byAddress.add('a', 1);
    expect(byAddress.add('a', 1)).toBeUndefined();
    expect(byAddress.add('b', 1)).toBeDefined();
    released?.();
    released?.();
    expect(byAddress.add('a', 1)).toBeDefined();
    expect(byAddress.add('a', 1)).toBeUndefined();
  });
});

describe('request messages under way', () => {
  it('are no more bytes than server.limits.bytesInFlight in all: the one too many is RESOURCE_EXHAUSTED, in words', async () => {
    const { port, events } = await startDownstream({ limits: { bytesInFlight: 1_048_576 } });
    const begun = framed(Buffer.alloc(700_000));
    const first = http2Client(port).request({
      ':method': 'POST',
      ':path': '/s/m',
      'content-type': 'application/grpc',
    });
    first.write(begun.subarray(0, 70_000));
    await once(first.session ?? first, 'remoteSettings');
    const second = await request(http2Client(port), {}, begun);
    expect(statusOf(second)).toBe(Code.RESOURCE_EXHAUSTED);
    expect(second.headers['grpc-message']).toMatch(
      /^a message of 700000 bytes while 700000 are under way; 1048576 are allowed \(server\.limits\.bytesInFlight\)$/,
    );
    expect(events.of('limit-reached')).toMatchObject([{ limit: 'bytes-in-flight' }]);
    first.close(constants.NGHTTP2_CANCEL);
    await once(first, 'close');
    await until('its bytes are free again', async () => {
      return statusOf(await request(http2Client(port), {}, begun)) === Code.OK;
    });
  });

  it('of which each fits alone are taken one after the other, however large', async () => {
    const { port, events } = await startDownstream({ limits: { bytesInFlight: 1_048_576 } });
    const session = http2Client(port);
    for (let round = 0; round < 3; round++)
      expect(statusOf(await request(session, {}, framed(Buffer.alloc(3_000_000))))).toBe(Code.OK);
    expect(events.of('limit-reached')).toEqual([]);
  });
});

describe('a rate', () => {
  it('allows ten seconds of it at once, and then as much as time brings', () => {
    const rate = createRateLimit(10);
    const taken = (atMs: number, times: number): number =>
      Array.from({ length: times }, () => rate.take(2, atMs)).filter(Boolean).length;
    expect(taken(0, 100)).toBe(20);
    expect(taken(499, 1)).toBe(0);
    expect(taken(1_000, 100)).toBe(2);
    expect(taken(3_600_000, 100)).toBe(20);
    expect(rate.take(0, 3_600_000)).toBe(true);
  });
});

describe('memory', () => {
  const watched = (sizes: { resident: number; limit?: number; allowed?: number }) => {
    const clock = new ManualClock();
    const events: GatewayEvent[] = [];
    const watch = createMemoryWatch({
      limitBytes: () => sizes.limit ?? 0,
      residentBytes: () => sizes.resident,
      allowedBytes: () => sizes.allowed ?? 0,
      clock,
      emit: (event) => events.push(event),
    });
    watch.start();
    return { clock, events, watch };
  };

  it('beyond the limit has only what is remembered answered, until it is well below', () => {
    const sizes = { resident: 1_001, limit: 1_000 };
    const { clock, events, watch } = watched(sizes);
    expect(watch.objection()).toBeInstanceOf(GatewayError);
    expect(watch.objection()?.message).toContain(
      '1001 bytes of memory are in use; 1000 are allowed (server.limits.memory)',
    );
    sizes.resident = 960;
    clock.advance(1_000);
    expect(watch.objection()).toBeDefined();
    sizes.resident = 950;
    clock.advance(1_000);
    expect(watch.objection()).toBeUndefined();
    sizes.resident = 2_000;
    clock.advance(1_000);
    expect(events).toMatchObject([
      { kind: 'limit-reached', limit: 'memory' },
      { kind: 'limit-reached', limit: 'memory' },
    ]);
    watch.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('is 85 % of what the process may have where no limit is set, and none where nobody limits it', () => {
    expect(watched({ resident: 851, allowed: 1_000 }).watch.objection()).toBeDefined();
    expect(watched({ resident: 849, allowed: 1_000 }).watch.objection()).toBeUndefined();
    for (const allowed of [0, 2 ** 63])
      expect(watched({ resident: 1e12, allowed }).watch.objection()).toBeUndefined();
  });
});

function reset(stream: number): Buffer {
  return Buffer.concat([rawPeer.headers(stream), rawPeer.reset(stream, constants.NGHTTP2_CANCEL)]);
}
