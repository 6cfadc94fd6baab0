import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { deflateSync, gzipSync } from 'node:zlib';
import { status as Code, Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { framed } from '../support/framed.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  call,
  closed,
  deferred,
  echo,
  grpcClient,
  http2Client,
  request,
  startDownstream,
  tcp,
} from './harness.js';

const MIB = 1024 * 1024;

/** A caller on a connection of its own, who must notice nothing. */
async function bystander(port: number) {
  const client = grpcClient(port);
  const check = async () => expect((await call(client, [Buffer.from('me too')])).status.code).toBe(Code.OK);
  await check();
  return { check };
}

function statusOf(reply: { headers: NodeJS.Dict<unknown>; trailers: NodeJS.Dict<unknown> }): number {
  return Number(reply.trailers['grpc-status'] ?? reply.headers['grpc-status']);
}

describe('a packed message', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('of %s comes out as it went in', async (encoding, pack) => {
    const { port } = await startDownstream();
    const body = framed(pack(Buffer.from('packed')), 1);
    const reply = await request(http2Client(port), { 'grpc-encoding': encoding }, body);
    expect(reply.body).toEqual(framed(Buffer.from('packed')));
  });

  it('may come beside plain ones', async () => {
    const messages: string[] = [];
    const { port } = await startDownstream({
      handler: async (incoming) => {
        for (let one = await incoming.read(); one; one = await incoming.read()) messages.push(one.toString());
        incoming.end({ code: 0, message: '' }, {});
      },
    });
    const body = Buffer.concat([
      framed(Buffer.from('plain')),
      framed(gzipSync('packed'), 1),
      framed(Buffer.from('plain')),
    ]);
    const reply = await request(http2Client(port), { 'grpc-encoding': 'gzip' }, body);
    expect(statusOf(reply)).toBe(Code.OK);
    expect(messages).toEqual(['plain', 'packed', 'plain']);
  });

  it('that becomes too large is refused while it is unpacked', async () => {
    const { port, events } = await startDownstream();
    const others = await bystander(port);
    const bomb = gzipSync(Buffer.alloc(200 * MIB));
    expect(bomb.length).toBeLessThan(MIB);
    const reply = await request(http2Client(port), { 'grpc-encoding': 'gzip' }, framed(bomb, 1));
    expect(statusOf(reply)).toBe(Code.RESOURCE_EXHAUSTED);
    expect(reply.headers['grpc-message']).toContain('4194304 are allowed');
    expect(events.of('bad-input')).toMatchObject([{ reason: 'message-too-large' }]);
    await others.check();
  });

  it('that is no gzip is refused in words', async () => {
    const { port } = await startDownstream();
    const reply = await request(
      http2Client(port),
      { 'grpc-encoding': 'gzip' },
      framed(Buffer.from('no gzip'), 1),
    );
    expect(statusOf(reply)).toBe(Code.INTERNAL);
    expect(reply.headers['grpc-message']).toContain('not valid gzip');
  });

  it('without an encoding is refused', async () => {
    const { port } = await startDownstream();
    const reply = await request(http2Client(port), {}, framed(gzipSync('x'), 1));
    expect(statusOf(reply)).toBe(Code.INTERNAL);
  });

  it('in an encoding nobody knows is UNIMPLEMENTED, with those that are known', async () => {
    const { port, events } = await startDownstream();
    const reply = await request(http2Client(port), { 'grpc-encoding': 'zstd' }, framed(Buffer.from('x'), 1));
    expect(statusOf(reply)).toBe(Code.UNIMPLEMENTED);
    expect(reply.headers['grpc-accept-encoding']).toBe('identity,deflate,gzip');
    expect(events.of('bad-input')).toMatchObject([{ reason: 'encoding' }]);
  });
});

describe('a request that is no gRPC', () => {
  it.each([
    ['GET', { ':method': 'GET' }, 405],
    ['of another content-type', { 'content-type': 'text/plain' }, 415],
    ['of grpc-web', { 'content-type': 'application/grpc-web+proto' }, 415],
  ])('%s is answered as HTTP', async (_name, headers, expected) => {
    const { port, events } = await startDownstream();
    const reply = await request(http2Client(port), headers);
    expect(reply.headers[':status']).toBe(expected);
    expect(reply.body.toString()).toMatch(
      expected === 405 ? /gRPC is POST\n$/ : /application\/grpc is expected\n$/,
    );
    expect(events.of('bad-input')).toMatchObject([{ reason: 'protocol' }]);
  });

  it('and never ends is reset, once it has had a moment to', async () => {
    const clock = new ManualClock();
    const { port } = await startDownstream({ clock });
    const stream = http2Client(port).request({ ':method': 'PUT' });
    stream.on('error', () => undefined).resume();
    await once(stream, 'end');
    expect(stream.closed).toBe(false);
    clock.advance(1_000);
    await once(stream, 'close');
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });

  it('with a timeout that is none is told so', async () => {
    const { port } = await startDownstream();
    const reply = await request(http2Client(port), { 'grpc-timeout': 'soon' });
    expect(statusOf(reply)).toBe(Code.INTERNAL);
    expect(reply.headers['grpc-message']).toContain('grpc-timeout is "soon"');
  });

  it.each([
    ['a flag of 7', Buffer.from([7, 0, 0, 0, 0])],
    ['a message cut off', framed(Buffer.from('whole')).subarray(0, 8)],
    ['half a prefix', Buffer.from([0, 0])],
  ])('with %s is INTERNAL', async (_name, body) => {
    const { port, events } = await startDownstream();
    const reply = await request(http2Client(port), {}, body);
    expect(statusOf(reply)).toBe(Code.INTERNAL);
    expect(events.of('bad-input')).toMatchObject([{ reason: 'frame' }]);
  });

  it('with a message over the limit is RESOURCE_EXHAUSTED before it has come', async () => {
    const { port } = await startDownstream({ maxMessageBytes: 1_000 });
    const session = http2Client(port);
    const stream = framed(Buffer.alloc(1_001)).subarray(0, 5);
    const reply = request(session, {}, stream);
    expect(statusOf(await reply)).toBe(Code.RESOURCE_EXHAUSTED);
    expect((await reply).headers['grpc-message']).toContain(
      '1001 bytes; 1000 are allowed (server.maxMessageBytes)',
    );
  });

  it('of random bytes never harms anybody else', async () => {
    const { port } = await startDownstream();
    const others = await bystander(port);
    const session = http2Client(port);
    for (let round = 0; round < 100; round++) {
      const body = randomBytes(1 + ((round * 37) % 2_000));
      // Most flags are wrong; in every other round the length is what is tried.
      if (round % 2 === 0) body[0] = 0;
      const reply = await request(session, {}, body);
      expect([Code.OK, Code.INTERNAL, Code.RESOURCE_EXHAUSTED]).toContain(statusOf(reply));
    }
    await others.check();
  });
});

describe('bytes on the socket that are no HTTP/2', () => {
  it.each([
    ['HTTP/1', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['random bytes', randomBytes(4_096)],
    [
      'the preface and then random bytes',
      Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), randomBytes(4_096)]),
    ],
  ])('(%s) close that connection and no other', async (_name, bytes) => {
    const { port, events, downstream } = await startDownstream();
    const others = await bystander(port);
    const socket = await tcp(port);
    socket.write(bytes);
    await closed(socket);
    await events.seen('connection-closed');
    expect(events.of('connection-closed')).toEqual([{ kind: 'connection-closed', reason: 'protocol-error' }]);
    expect(events.of('bad-input')).toMatchObject([{ reason: 'protocol' }]);
    expect(downstream.connections).toBe(1);
    await others.check();
  });
});

describe('metadata', () => {
  it('over the limit is refused in words', async () => {
    const { port, events } = await startDownstream({ maxMetadataBytes: 4_096 });
    const metadata = new Metadata();
    metadata.set('x-long', 'x'.repeat(5_000));
    const { status } = await call(grpcClient(port), [], { metadata });
    expect(status.code).toBe(Code.RESOURCE_EXHAUSTED);
    expect(status.details).toMatch(/metadata of \d+ bytes; 4096 are allowed \(server\.maxMetadataBytes\)/);
    expect(events.of('bad-input')).toMatchObject([{ reason: 'metadata' }]);
  });

  it('far over the limit is refused too, without words', async () => {
    const { port } = await startDownstream({ maxMetadataBytes: 4_096 });
    const client = grpcClient(port);
    // Only from the acknowledgement of our SETTINGS on is HTTP/2 itself bound.
    await call(client, []);
    const metadata = new Metadata();
    metadata.set('x-long', 'x'.repeat(60_000));
    const { status } = await call(client, [], { metadata });
    expect(status.code).toBe(Code.RESOURCE_EXHAUSTED);
    expect((await call(client, [])).status.code).toBe(Code.OK);
  });

  it('of many small pairs is a matter of size, not of number', async () => {
    const seen = deferred<number>();
    const { port } = await startDownstream({
      handler: (incoming) => {
        seen.resolve(Object.keys(incoming.metadata).length);
        return echo(incoming);
      },
    });
    const metadata = new Metadata();
    for (let index = 0; index < 300; index++) metadata.set(`x-${index}`, 'y');
    const { status } = await call(grpcClient(port), [], { metadata });
    expect(status.code).toBe(Code.OK);
    expect(await seen.promise).toBeGreaterThan(300);
  });

  it.each([
    ['bytes beyond ASCII', { 'x-a': 'caf\u00e9' }],
    ['a key that gRPC does not know', { 'x~a': 'v' }],
  ])('with %s is refused in words', async (_name, headers) => {
    const { port } = await startDownstream();
    const reply = await request(http2Client(port), headers);
    expect(statusOf(reply)).toBe(Code.INTERNAL);
    expect(reply.headers['grpc-message']).toContain('characters that gRPC does not allow');
  });

  it('of random bytes never harms anybody else', async () => {
    const { port, downstream } = await startDownstream();
    const others = await bystander(port);
    for (let round = 0; round < 50; round++) {
      const session = http2Client(port);
      await request(session, { 'x-random': randomBytes(200).toString('latin1').replaceAll('\0', '') }).catch(
        () => {},
      );
      await request(session, {
        'x-random-bin': randomBytes(200).toString('latin1').replaceAll('\0', ''),
      }).catch(() => {});
      session.destroy();
    }
    await others.check();
    expect(downstream.connections).toBeGreaterThan(0);
  });
});
