import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import { OK_STATUS } from '../../src/rpc/status.js';
import { framed } from '../support/framed.js';
import {
  call,
  deferred,
  GRPC_HEADERS,
  grpcClient,
  heldCalls,
  http2Client,
  replyOf,
  request,
  startDownstream,
} from './harness.js';

const MIB = 1024 * 1024;
/** Of RST_STREAM. */
const CANCEL = 8;

describe('flow control', () => {
  it('holds an answer back while the caller does not read, and lets it go on when it does', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const session = http2Client(port);
    const stream = session.request(GRPC_HEADERS, { endStream: true });
    stream.pause();
    const incoming = await next();
    let sent = 0;
    const stuck = deferred();
    const sending = (async () => {
      for (; sent < 64; sent++) {
        const written = incoming.sendMessage(Buffer.alloc(MIB));
        let done = false;
        void written.then(() => {
          done = true;
        });
        await new Promise((resolve) => setImmediate(resolve));
        if (!done) stuck.resolve();
        await written;
      }
      incoming.end(OK_STATUS, NO_METADATA);
    })();
    await stuck.promise;
    expect(sent).toBeLessThan(64);
    const reply = replyOf(stream);
    stream.resume();
    await sending;
    expect((await reply).body).toHaveLength(64 * (MIB + 5));
    expect((await reply).trailers['grpc-status']).toBe('0');
  });

  it('of many large answers to one slow caller keeps no other call of its connection from being answered', async () => {
    const large = Buffer.alloc(20 * MIB, 'abc');
    const { port } = await startDownstream({
      handler: async (incoming) => {
        await incoming.sendMessage(incoming.path === '/s/Large' ? large : Buffer.from('small'));
        incoming.end(OK_STATUS, NO_METADATA);
      },
    });
    const session = http2Client(port);
    const slow = Array.from({ length: 100 }, () => {
      const stream = session.request({ ...GRPC_HEADERS, ':path': '/s/Large' }, { endStream: true });
      stream.on('error', () => {});
      stream.pause();
      return stream;
    });
    await Promise.all(slow.map((stream) => new Promise((resolve) => stream.once('response', resolve))));
    for (let round = 0; round < 10; round++) {
      expect((await request(session, {})).trailers['grpc-status']).toBe('0');
    }
    const [first] = slow as [(typeof slow)[0]];
    const reply = replyOf(first);
    first.resume();
    expect((await reply).body.subarray(5).equals(large)).toBe(true);
    expect((await reply).trailers['grpc-status']).toBe('0');
  });

  it('keeps messages in order, and the end after them, when nobody waits for room', async () => {
    const sizes = [10, 300_000, 0, 65_536, 65_537, 1_000_000, 5];
    const { port } = await startDownstream({
      handler: async (incoming) => {
        for (const size of sizes) void incoming.sendMessage(Buffer.alloc(size, size % 251));
        incoming.end({ code: Code.ABORTED, message: 'last' }, NO_METADATA);
      },
    });
    const { messages, status } = await call(grpcClient(port), []);
    expect(messages.map((message) => message.length)).toEqual(sizes);
    expect(
      messages.every((message, at) =>
        message.equals(Buffer.alloc(message.length, (sizes[at] as number) % 251)),
      ),
    ).toBe(true);
    expect(status).toMatchObject({ code: Code.ABORTED, details: 'last' });
  });

  it('lets a writer go when the caller goes', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const session = http2Client(port);
    const stream = session.request(GRPC_HEADERS, { endStream: true });
    stream.on('error', () => {});
    const incoming = await next();
    const written = incoming.sendMessage(Buffer.alloc(8 * MIB));
    stream.close(CANCEL);
    await written;
    expect(incoming.cancelled).toBe(true);
  });

  it('holds a caller back while nobody reads its messages', async () => {
    const { handler, next } = heldCalls();
    const { port } = await startDownstream({ handler });
    const session = http2Client(port);
    const stream = session.request(GRPC_HEADERS);
    const message = framed(Buffer.alloc(64 * 1024));
    let acceptedBytes = 0;
    // One by one: node:http2 would take all that is written at once as one write, and call back once.
    const writeOn = () => {
      if (acceptedBytes === 256 * message.length) {
        stream.end();
        return;
      }
      stream.write(message, () => {
        acceptedBytes += message.length;
        writeOn();
      });
    };
    writeOn();
    const incoming = await next();
    await incoming.read();
    // Whole calls on the same connection, until twenty in a row have seen nothing move.
    for (let still = 0, seenBytes = -1; still < 20; ) {
      const other = request(session, {});
      (await next()).end(OK_STATUS, NO_METADATA);
      await other;
      still = acceptedBytes === seenBytes ? still + 1 : 0;
      seenBytes = acceptedBytes;
    }
    expect(acceptedBytes).toBeLessThan(2 * MIB);
    let messages = 1;
    while (await incoming.read()) messages++;
    expect(messages).toBe(256);
    expect(acceptedBytes).toBe(256 * message.length);
    incoming.end(OK_STATUS, NO_METADATA);
  });
});
