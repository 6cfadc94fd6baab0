import { status as Code, Metadata } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import type { Call, CallHandler } from '../../src/rpc/call.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import { OK_STATUS } from '../../src/rpc/status.js';
import { framed } from '../support/framed.js';
import { call, grpcClient, heldCalls, http2Client, raw, request, startDownstream } from './harness.js';

const MIB = 1024 * 1024;

/** Answers every message as it comes. */
const echoEach: CallHandler = async (incoming) => {
  for (let message = await incoming.read(); message; message = await incoming.read()) {
    await incoming.sendMessage(message);
  }
  incoming.end(OK_STATUS, NO_METADATA);
};

describe('a call of a grpc-js client', () => {
  it('that is unary gets its answer, for a path nobody has heard of too', async () => {
    const paths: string[] = [];
    const { port } = await startDownstream({
      handler: async (incoming) => {
        paths.push(incoming.path);
        const message = await incoming.read();
        expect(await incoming.read()).toBeUndefined();
        await incoming.sendMessage(Buffer.concat([Buffer.from('re: '), message as Buffer]));
        incoming.end(OK_STATUS, NO_METADATA);
      },
    });
    const client = grpcClient(port);
    const answer = await new Promise((resolve, reject) => {
      client.makeUnaryRequest('/never.heard.of/It', raw, raw, Buffer.from('hello'), (error, value) => {
        if (error) reject(error);
        else resolve(value?.toString());
      });
    });
    expect(answer).toBe('re: hello');
    expect(paths).toEqual(['/never.heard.of/It']);
  });

  it('streams both ways, message by message', async () => {
    const { port } = await startDownstream({ handler: echoEach });
    const messages = Array.from({ length: 500 }, (_, index) => Buffer.alloc(index * 7, index));
    const { status, messages: answers } = await call(grpcClient(port), messages);
    expect(status.code).toBe(Code.OK);
    expect(answers.map((answer) => answer.length)).toEqual(messages.map((message) => message.length));
    expect(Buffer.concat(answers).equals(Buffer.concat(messages))).toBe(true);
  });

  it('is answered on a stream while its own side stays open', async () => {
    const { port } = await startDownstream({ handler: echoEach });
    const stream = grpcClient(port).makeBidiStreamRequest('/s/Bidi', raw, raw, new Metadata());
    for (const text of ['one', 'two', 'three']) {
      const answer = new Promise<Buffer>((resolve) => stream.once('data', resolve));
      stream.write(Buffer.from(text));
      expect((await answer).toString()).toBe(text);
    }
    const status = new Promise<{ code: number }>((resolve) => stream.once('status', resolve));
    stream.end();
    expect((await status).code).toBe(Code.OK);
  });

  it('that streams up may be answered OK without a message', async () => {
    const received: string[] = [];
    const { port } = await startDownstream({
      handler: async (incoming) => {
        for (let message = await incoming.read(); message; message = await incoming.read())
          received.push(String(message));
        incoming.end(OK_STATUS, NO_METADATA);
      },
    });
    const { status, messages } = await call(grpcClient(port), [Buffer.from('a'), Buffer.from('b')]);
    expect(status).toMatchObject({ code: Code.OK, details: '' });
    expect(messages).toEqual([]);
    expect(received).toEqual(['a', 'b']);
  });

  it('gets an empty message as an empty message', async () => {
    const { port } = await startDownstream();
    const { messages } = await call(grpcClient(port), [Buffer.alloc(0)]);
    expect(messages).toEqual([Buffer.alloc(0)]);
  });

  it('hears the end of a request without a message, however late it begins to read', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const answer = request(http2Client(port), {});
    const incoming = await next();
    // The end has been told by now, and nobody listened.
    for (let times = 0; times < 10; times++) await new Promise(setImmediate);
    expect(await incoming.read()).toBeUndefined();
    incoming.end(OK_STATUS, NO_METADATA);
    expect((await answer).headers['grpc-status']).toBe('0');
  });

  it('gets 20 MiB in one message', async () => {
    const answer = Buffer.alloc(20 * MIB, 'abc');
    const { port } = await startDownstream({
      handler: async (incoming) => {
        await incoming.sendMessage(answer);
        incoming.end(OK_STATUS, NO_METADATA);
      },
    });
    const { messages, status } = await call(grpcClient(port), [Buffer.alloc(1)]);
    expect(status.code).toBe(Code.OK);
    expect(messages[0]?.equals(answer)).toBe(true);
  });

  it('may send as much as its path is allowed', async () => {
    const { port } = await startDownstream({
      maxMessageBytesFor: (path) => (path === '/s/Large' ? 32 * MIB : 4 * MIB),
    });
    const message = Buffer.alloc(24 * MIB, 'xyz');
    const client = grpcClient(port);
    const large = await call(client, [message], { path: '/s/Large' });
    expect(large.messages[0]?.equals(message)).toBe(true);
    const other = await call(client, [message], { path: '/s/Other' });
    expect(other.status.code).toBe(Code.RESOURCE_EXHAUSTED);
  });

  it('carries metadata both ways, binary and repeated keys included', async () => {
    let seen: Call['metadata'] = {};
    const { port } = await startDownstream({
      handler: async (incoming) => {
        seen = incoming.metadata;
        incoming.sendHeaders({ 'x-head': ['1', '2'], 'x-head-bin': 'AAEC', 'content-type': 'text/html' });
        await incoming.sendMessage(Buffer.from('m'));
        incoming.end(
          { code: Code.NOT_FOUND, message: 'kein Gerät, 100%\n' },
          { 'x-tail-bin': '/w==', 'grpc-status': '0' },
        );
      },
    });
    const metadata = new Metadata();
    metadata.set('traceparent', '00-ab-cd-01');
    metadata.add('x-twice', 'a');
    metadata.add('x-twice', 'b');
    metadata.set('x-data-bin', Buffer.from([0, 255, 10]));
    const { status, headers } = await call(grpcClient(port), [], { metadata });
    expect(seen).toMatchObject({
      traceparent: '00-ab-cd-01',
      'x-twice': ['a', 'b'],
      'x-data-bin': 'AP8K',
      te: 'trailers',
    });
    expect(headers?.getMap()).toMatchObject({
      'content-type': 'application/grpc',
      'x-head-bin': Buffer.from([0, 1, 2]),
    });
    expect(headers?.get('x-head')).toEqual(['1, 2']);
    expect(status).toMatchObject({ code: Code.NOT_FOUND, details: 'kein Gerät, 100%\n' });
    expect(status.metadata.get('x-tail-bin')).toEqual([Buffer.from([255])]);
  });

  it('that is compressed is unpacked before anybody sees it', async () => {
    const { port } = await startDownstream();
    const client = grpcClient(port, { 'grpc.default_compression_algorithm': 2 });
    const { messages, headers } = await call(client, [Buffer.alloc(100_000, 'zip')]);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.equals(Buffer.alloc(100_000, 'zip'))).toBe(true);
    expect(headers?.get('grpc-encoding')).toEqual([]);
  });
});

describe('an answer on the wire', () => {
  it('is a single header block with the status when it ends before anything was sent', async () => {
    const { port } = await startDownstream({
      handler: async (incoming) =>
        incoming.end({ code: 5, message: 'nö' }, { 'grpc-status-details-bin': 'CAU' }),
    });
    const reply = await request(http2Client(port), {});
    expect(reply.headers).toMatchObject({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': '5',
      'grpc-message': 'n%C3%B6',
      'grpc-status-details-bin': 'CAU',
    });
    expect(reply.trailers).toEqual({});
    expect(reply.body).toHaveLength(0);
  });

  it('is headers, frames, then trailers otherwise', async () => {
    const { port } = await startDownstream();
    const reply = await request(http2Client(port), {}, framed(Buffer.from('m')));
    expect(reply.headers).toEqual(
      expect.objectContaining({ ':status': 200, 'content-type': 'application/grpc' }),
    );
    expect(reply.headers['grpc-status']).toBeUndefined();
    expect(reply.body).toEqual(framed(Buffer.from('m')));
    expect(reply.trailers).toMatchObject({ 'grpc-status': '0' });
    expect(reply.trailers['grpc-message']).toBeUndefined();
  });

  it('has trailers too when headers were sent but no message', async () => {
    const { port } = await startDownstream({
      handler: async (incoming) => {
        incoming.sendHeaders({ 'x-early': 'yes' });
        incoming.end(OK_STATUS, NO_METADATA);
      },
    });
    const reply = await request(http2Client(port), {});
    expect(reply.headers['x-early']).toBe('yes');
    expect(reply.trailers['grpc-status']).toBe('0');
  });

  it('frees the stream of a caller that has not half-closed', async () => {
    const { port } = await startDownstream({ maxConcurrentStreams: 1 });
    const session = http2Client(port);
    for (let round = 0; round < 5; round++) {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/s/m',
        'content-type': 'application/grpc',
      });
      let status: unknown;
      stream.on('trailers', (trailers) => {
        status = trailers['grpc-status'];
      });
      stream.resume();
      stream.write(framed(Buffer.from('still open')));
      await new Promise((resolve) => stream.once('close', resolve));
      expect(status).toBe('0');
      expect(stream.rstCode).toBe(0);
    }
  });

  it('frees the stream of a refused caller that has not half-closed', async () => {
    const { port } = await startDownstream({
      handler: async (incoming) => incoming.end({ code: 7, message: '' }, {}),
    });
    const reply = await request(http2Client(port), {}, undefined);
    expect(reply.headers['grpc-status']).toBe('7');
    expect(reply.rstCode).toBe(0);
  });

  it('is still a status where the metadata cannot be sent', async () => {
    const { port, events } = await startDownstream({
      handler: async (incoming) => {
        incoming.sendHeaders({ etag: ['one', 'two'] });
        incoming.end({ code: 9, message: 'not now' }, { 'bad key': 'x', nul: 'a\0b\0c\0' });
      },
    });
    const reply = await request(http2Client(port), {});
    expect(reply.headers[':status']).toBe(200);
    expect(reply.trailers).toMatchObject({ 'grpc-status': '9', 'grpc-message': 'not now' });
    expect(Object.keys(reply.trailers)).toHaveLength(2);
    expect(events.of('internal-error')).toHaveLength(2);
  });
});

describe('a handler', () => {
  it('that rejects with an error of the gateway ends the call with its status', async () => {
    const { port } = await startDownstream({
      handler: async () => {
        throw new GatewayError('breaker-open', 'the manager has been away since 10:00');
      },
    });
    const { status } = await call(grpcClient(port), []);
    expect(status).toMatchObject({
      code: Code.UNAVAILABLE,
      details: 'the manager has been away since 10:00',
    });
  });

  it('that fails otherwise tells the caller nothing of its insides, and the log everything', async () => {
    const { port, events } = await startDownstream({
      handler: () => {
        throw new TypeError('undefined is not a secret');
      },
    });
    const { status } = await call(grpcClient(port), []);
    expect(status.code).toBe(Code.UNAVAILABLE);
    expect(status.details).not.toContain('secret');
    expect(String(events.of('internal-error')[0]?.error)).toContain('secret');
  });

  it('that forgets to end the call does not leave the caller waiting', async () => {
    const { port, events } = await startDownstream({ handler: async () => {} });
    const { status } = await call(grpcClient(port), []);
    expect(status.code).toBe(Code.UNAVAILABLE);
    expect(events.of('internal-error')).toHaveLength(1);
  });

  it('may go on writing after the end without harm', async () => {
    const { port } = await startDownstream({
      handler: async (incoming) => {
        incoming.end(OK_STATUS, NO_METADATA);
        incoming.sendHeaders({ late: 'yes' });
        await incoming.sendMessage(Buffer.from('late'));
        incoming.end({ code: 13, message: 'late' }, NO_METADATA);
      },
    });
    const { status, messages } = await call(grpcClient(port), []);
    expect(status.code).toBe(Code.OK);
    expect(messages).toEqual([]);
  });
});
