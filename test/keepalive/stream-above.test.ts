import { beforeEach, describe, expect, it } from 'vitest';
import type { StreamReply } from '../../src/keepalive/below.js';
import { StreamAbove } from '../../src/keepalive/stream-above.js';
import type { ChannelCallListener } from '../../src/upstream/channel-call.js';
import type { Line, LineCall } from '../../src/upstream/line.js';
import { ManualClock } from '../support/manual-clock.js';

const RECORD = {
  node: { kind: 'scheduler', source: 's', clusterId: '1', hostname: 'n', ip: 'i' },
  path: '/p',
  first: Buffer.from('first'),
  intervalMs: undefined,
} as const;

/** A connection that takes one message each time it is told to. */
class SlowLine {
  readonly sent: string[] = [];
  readonly state = 'good';
  halfClosed = false;
  listener: ChannelCallListener | undefined;
  #take: (() => void) | undefined;

  open(_path: string, _metadata: object, listener: ChannelCallListener): LineCall {
    this.listener = listener;
    return {
      send: (message) => {
        this.sent.push(message.toString());
        return new Promise((resolve) => {
          this.#take = resolve;
        });
      },
      halfClose: () => {
        this.halfClosed = true;
      },
      requestMessage: () => undefined,
      cancel: (status) => listener.status(status, {}),
    };
  }

  async take(): Promise<void> {
    this.#take?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

let clock: ManualClock;
let line: SlowLine;
let replies: StreamReply[];
let stream: StreamAbove;
beforeEach(() => {
  clock = new ManualClock();
  line = new SlowLine();
  replies = [];
  stream = new StreamAbove(line as unknown as Line, clock, (reply) => replies.push(reply));
  stream.open(RECORD, {});
});

describe('a stream at the manager', () => {
  it('takes messages one at a time and in order, the half-close last', async () => {
    void stream.send(Buffer.from('second'));
    void stream.send(Buffer.from('third'));
    stream.halfClose();
    expect(line.sent).toEqual(['first']);
    await line.take();
    await line.take();
    expect([line.sent, line.halfClosed]).toEqual([['first', 'second', 'third'], false]);
    await line.take();
    expect(line.halfClosed).toBe(true);
  });

  it('takes nothing after its half-close', async () => {
    stream.halfClose();
    void stream.send(Buffer.from('late'));
    await line.take();
    await line.take();
    expect(line.sent).toEqual(['first']);
  });

  it('holds back a node that sends faster than the manager takes it, but for a second at most', async () => {
    const large = Buffer.alloc(70_000, 'x');
    let goesOn = false;
    void stream.send(large).then(() => {
      goesOn = true;
    });
    await clock.advanceAsync(999);
    expect(goesOn).toBe(false);
    await clock.advanceAsync(1);
    expect(goesOn).toBe(true);
    // What finds no room then is dropped.
    void stream.send(Buffer.from('dropped'));
    await line.take();
    await line.take();
    await stream.send(Buffer.from('taken'));
    await line.take();
    expect(line.sent.map((text) => text.slice(0, 10))).toEqual(['first', 'xxxxxxxxxx', 'taken']);
    await clock.advanceAsync(1_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets a node go on as soon as there is room', async () => {
    let goesOn = false;
    void stream.send(Buffer.alloc(70_000)).then(() => {
      goesOn = true;
    });
    await line.take();
    expect(goesOn).toBe(false);
    await line.take();
    expect(goesOn).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('brings all that the manager said with its end, and once', () => {
    line.listener?.headers({ 'x-head': 'h' });
    line.listener?.message(Buffer.from('m'));
    line.listener?.status({ code: 5, message: 'none' }, { 'x-tail': 't' });
    stream.cancel('too late');
    expect(replies).toEqual([
      {
        headers: { 'x-head': 'h' },
        messages: [Buffer.from('m')],
        status: { code: 5, message: 'none' },
        trailers: { 'x-tail': 't' },
      },
    ]);
  });

  it('keeps no more messages than anybody could want', () => {
    for (let n = 0; n < 1_000; n++) line.listener?.message(Buffer.from('m'));
    line.listener?.status({ code: 0, message: '' }, {});
    expect(replies[0]?.messages).toHaveLength(16);
  });
});
