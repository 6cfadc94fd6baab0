import { constants } from 'node:http2';
import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type { CallHandler } from '../../src/rpc/call.js';
import { systemClock } from '../../src/rpc/clock.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import type { AtOnce } from '../../src/rpc/ready-answer.js';
import { OK_STATUS } from '../../src/rpc/status.js';
import { framed } from '../support/framed.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  closed,
  GRPC_HEADERS,
  http2Client,
  type RawReply,
  replyOf,
  request,
  startDownstream,
  tcp,
} from './harness.js';
import { rawPeer } from './raw-peer.js';

const HIT = Buffer.from('known');

type Overrides = NonNullable<Parameters<typeof startDownstream>[0]> & Partial<Pick<AtOnce, 'answer'>>;

/** Answers what it knows, which is one question; everybody else gets to the handler. */
function startWithMemory({ answer, ...overrides }: Overrides = {}) {
  const handled: string[][] = [];
  const handler: CallHandler = async (incoming) => {
    const messages: string[] = [];
    handled.push(messages);
    for (let message = await incoming.read(); message; message = await incoming.read())
      messages.push(String(message));
    await incoming.sendMessage(Buffer.from(`handler: ${messages.join(' ')}`));
    incoming.end(OK_STATUS, NO_METADATA);
  };
  const atOnce: AtOnce = {
    accepts: (path) => path !== '/test.Service/Streams',
    answer: (_path, _metadata, message) =>
      message.equals(HIT)
        ? {
            headers: { 'x-from': 'memory' },
            message: Buffer.from('memory: known'),
            status: OK_STATUS,
            trailers: { 'x-age': '7' },
          }
        : undefined,
    ...(answer !== undefined && { answer }),
  };
  return startDownstream({ handler, atOnce, ...overrides }).then((started) => ({ ...started, handled }));
}

const bodyOf = ({ body }: RawReply): string => String(body.subarray(5));
const codeOf = ({ headers, trailers }: RawReply): string =>
  String(trailers['grpc-status'] ?? headers['grpc-status']);

describe('a call that memory can answer', () => {
  it('is answered without its handler, with headers, message, status and trailers', async () => {
    const { port, handled, downstream } = await startWithMemory();
    const reply = await request(http2Client(port), {}, framed(HIT));
    expect([bodyOf(reply), codeOf(reply)]).toEqual(['memory: known', '0']);
    expect([reply.headers['x-from'], reply.headers['content-type'], reply.trailers['x-age']]).toEqual([
      'memory',
      'application/grpc',
      '7',
    ]);
    expect(handled).toEqual([]);
    // Nothing is left of it: a drain has nobody to wait for.
    expect(await downstream.drain(systemClock.nowMs() + 5_000)).toEqual({ clean: true });
  });

  it('leaves no timer behind, whatever its deadline', async () => {
    const clock = new ManualClock();
    const { port } = await startWithMemory({ clock });
    const session = http2Client(port);
    await request(session, {}, framed(HIT));
    const idle = clock.pendingTimers;
    await Promise.all(['1S', '5S', '1H'].map((t) => request(session, { 'grpc-timeout': t }, framed(HIT))));
    clock.advance(32);
    expect(clock.pendingTimers).toBe(idle);
  });

  it('is closed by its deadline if its caller does not take the answer', async () => {
    const clock = new ManualClock();
    const large = Buffer.alloc(60 * 1024);
    const answer: AtOnce['answer'] = () => ({
      headers: NO_METADATA,
      message: large,
      status: OK_STATUS,
      trailers: NO_METADATA,
    });
    const { port, downstream } = await startWithMemory({ clock, answer });
    const session = http2Client(port);
    // Of a window of 64 KiB for all streams, the first one takes nearly everything.
    const stuck = session.request({ ...GRPC_HEADERS, 'grpc-timeout': '1S' });
    stuck.end(framed(HIT));
    stuck.pause();
    await new Promise((resolve) => stuck.once('response', resolve));
    const second = session.request({ ...GRPC_HEADERS, 'grpc-timeout': '1S' });
    second.end(framed(HIT));
    second.pause();
    await new Promise((resolve) => second.once('response', resolve));
    clock.advance(1_032);
    await new Promise((resolve) => second.once('close', resolve).once('error', () => {}));
    expect(second.rstCode).toBe(constants.NGHTTP2_CANCEL);
    stuck.destroy();
    expect(await downstream.drain(clock.nowMs() + 5_000)).toEqual({ clean: true });
  });
});

describe('a call that memory cannot answer goes to its handler as it came', () => {
  const other = framed(Buffer.from('other'));

  it.each([
    ['another question', [other], ['other']],
    ['no message at all', [], []],
    ['two messages in one frame', [Buffer.concat([framed(HIT), other])], ['known', 'other']],
    ['two messages in two frames', [framed(HIT), other], ['known', 'other']],
    ['an empty frame first', [Buffer.alloc(0), other], ['other']],
    ...Array.from({ length: other.length - 1 }, (_, at): [string, Buffer[], string[]] => [
      `cut at byte ${at + 1}`,
      [other.subarray(0, at + 1), other.subarray(at + 1)],
      ['other'],
    ]),
  ])('%s', async (_, frames, messages) => {
    const { port, handled, downstream } = await startWithMemory();
    const socket = await tcp(port);
    socket.resume();
    rawPeer.send(socket, rawPeer.hello, rawPeer.headers(1));
    for (const frame of frames) rawPeer.send(socket, rawPeer.data(1, frame));
    rawPeer.send(socket, rawPeer.halfClose(1));
    await expect.poll(() => handled).toEqual([messages]);
    expect(await downstream.drain(systemClock.nowMs() + 5_000)).toEqual({ clean: true });
  });

  it('that is compressed is unpacked there, and one that is broken refused there', async () => {
    const { port, events, handled } = await startWithMemory();
    const broken = await request(http2Client(port), {}, framed(HIT, 1));
    expect(codeOf(broken)).toBe(String(Code.INTERNAL));
    expect(events.of('bad-input').length).toBe(1);
    expect(handled).toEqual([[]]);
  });

  it('whose message is cut off by its end is refused as by the handler', async () => {
    const { port, events } = await startWithMemory();
    const early = await request(http2Client(port), {}, framed(HIT).subarray(0, 7));
    const late = await request(
      http2Client(port),
      { ':path': '/test.Service/Streams' },
      framed(HIT).subarray(0, 7),
    );
    expect(codeOf(early)).toBe(codeOf(late));
    expect(early.headers['grpc-message']).toBe(late.headers['grpc-message']);
    expect(events.of('bad-input').length).toBe(2);
  });

  it('at the pace of who reads, when it streams after all', async () => {
    const { port, handled } = await startWithMemory();
    const stream = http2Client(port).request({ ...GRPC_HEADERS });
    const reply = replyOf(stream);
    for (let at = 0; at < 500; at++) stream.write(framed(Buffer.alloc(1_000, `${at % 10}`)));
    stream.end();
    expect(codeOf(await reply)).toBe('0');
    expect(handled[0]?.map((message) => message.length)).toEqual(Array.from({ length: 500 }, () => 1_000));
  });

  it('if looking for an answer fails, which is told', async () => {
    const { port, events, handled } = await startWithMemory({
      answer: () => {
        throw new Error('memory is broken');
      },
    });
    expect(bodyOf(await request(http2Client(port), {}, framed(HIT)))).toBe('handler: known');
    expect(handled).toEqual([['known']]);
    expect(events.of('internal-error').map(({ error }) => String(error))).toEqual([
      'Error: memory is broken',
    ]);
  });
});

describe('a call whose request has not ended', () => {
  it('is ended by its deadline', async () => {
    const clock = new ManualClock();
    const { port } = await startWithMemory({ clock });
    const stream = http2Client(port).request({ ...GRPC_HEADERS, 'grpc-timeout': '2S' });
    stream.write(framed(HIT));
    const reply = replyOf(stream);
    const answered = new Promise((resolve) => stream.once('response', resolve));
    const session = http2Client(port);
    // Once another one has been answered, this one has come, too.
    await request(session, {}, framed(HIT));
    await expect
      .poll(() => {
        clock.advance(500);
        return stream.closed || stream.readableEnded;
      })
      .toBe(true);
    await answered;
    expect(codeOf(await reply)).toBe(String(Code.DEADLINE_EXCEEDED));
  });

  it('is ended by a drain that has waited long enough', async () => {
    const { port, downstream } = await startWithMemory();
    const stream = http2Client(port).request({ ...GRPC_HEADERS });
    stream.write(framed(HIT));
    const reply = replyOf(stream);
    await request(http2Client(port), {}, framed(HIT));
    expect(await downstream.drain(systemClock.nowMs())).toEqual({ clean: false });
    expect(codeOf(await reply)).toBe(String(Code.UNAVAILABLE));
  });

  it('and is taken back costs no handler, and counts as a reset', async () => {
    const { port, events, handled } = await startWithMemory({ limits: { resetsPerSecond: 50 } });
    const socket = await tcp(port);
    const taken = Array.from({ length: 150 }, (_, index) =>
      Buffer.concat([
        rawPeer.headers(1 + 2 * index),
        rawPeer.data(1 + 2 * index, framed(HIT)),
        rawPeer.reset(1 + 2 * index, constants.NGHTTP2_CANCEL),
      ]),
    );
    socket.write(Buffer.concat([rawPeer.hello, ...taken]));
    await closed(socket);
    await events.seen('connection-closed');
    expect(events.of('connection-closed').map(({ reason }) => reason)).toEqual(['limit']);
    expect(handled).toEqual([]);
  });

  it('goes with its connection, and counts as no reset', async () => {
    const { port, events, downstream } = await startWithMemory({ limits: { resetsPerSecond: 1 } });
    const socket = await tcp(port);
    rawPeer.send(
      socket,
      rawPeer.hello,
      ...[1, 3, 5].flatMap((at) => [rawPeer.headers(at), rawPeer.data(at, framed(HIT))]),
    );
    await events.seen('connection-opened');
    socket.destroy();
    await events.seen('connection-closed');
    expect(events.of('connection-closed').map(({ reason }) => reason)).toEqual(['client']);
    expect(events.of('limit-reached')).toEqual([]);
    expect(await downstream.drain(systemClock.nowMs() + 5_000)).toEqual({ clean: true });
  });
});
