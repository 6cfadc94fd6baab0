import { describe, expect, it } from 'vitest';
import { createEmptyFrames } from '../../src/downstream/empty-frames.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/until.js';
import { closed, startDownstream, tcp } from './harness.js';
import { rawPeer } from './raw-peer.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const SETTINGS_ACK = '000000040100000000';

function startLooking() {
  const clock = new ManualClock();
  const seen = { bytes: 0, calls: 0, messageBytes: 0 };
  const look = createEmptyFrames({ received: () => seen, clock });
  return {
    floodsAfter(seconds: number, bytes: number, { calls = 0, messageBytes = 0 } = {}) {
      clock.advance(seconds * 1000);
      seen.bytes += bytes;
      seen.calls += calls;
      seen.messageBytes += messageBytes;
      return look() !== undefined;
    },
  };
}

describe('frames that carry nothing', () => {
  it('are a flood beyond 64 KiB a second since the last look, and 1 MiB', () => {
    const { floodsAfter } = startLooking();
    expect(floodsAfter(10, MIB + 640 * KIB)).toBe(false);
    expect(floodsAfter(10, MIB + 640 * KIB + 1)).toBe(true);
    expect(floodsAfter(10, 100)).toBe(false);
  });

  it('are as many more as come with calls', () => {
    const { floodsAfter } = startLooking();
    expect(floodsAfter(0, MIB + 512 * KIB, { calls: 2 })).toBe(false);
    expect(floodsAfter(0, MIB + 512 * KIB + 1, { calls: 2 })).toBe(true);
  });

  it('are no more than half of what comes with messages', () => {
    const { floodsAfter } = startLooking();
    expect(floodsAfter(0, 101 * MIB, { messageBytes: 50 * MIB })).toBe(false);
    expect(floodsAfter(0, 101 * MIB + 1, { messageBytes: 50 * MIB })).toBe(true);
  });

  it.each([
    ['', []],
    [' of one who has a call open', [rawPeer.headers(1)]],
  ])('have the connection%s closed at its next ping, and are counted', async (_name, before) => {
    const clock = new ManualClock();
    const { port, events } = await startDownstream({
      clock,
      ping: { intervalMs: 2_000, timeoutMs: 10_000 },
      handler: async (call) => void (await call.read()),
    });
    const flooding = await tcp(port);
    const updates = Buffer.concat(Array.from({ length: 200_000 }, () => rawPeer.windowUpdate()));
    // Acknowledged are SETTINGS in the order in which they came: with the second, all before it has been read.
    flooding.write(Buffer.concat([rawPeer.hello, ...before, updates, rawPeer.settings()]));
    let said = '';
    flooding.on('data', (chunk: Buffer) => {
      said += chunk.toString('hex');
    });
    await until('both are acknowledged', () => said.split(SETTINGS_ACK).length > 2);
    clock.advance(2_000);
    await closed(flooding);
    await events.seen('connection-closed');
    expect(events.of('limit-reached').map(({ limit }) => limit)).toEqual(['empty-frames']);
    expect(events.of('connection-closed').map(({ reason }) => reason)).toEqual(['limit']);
  });

  it('are not what an upload is made of, however small its frames', async () => {
    const clock = new ManualClock();
    let read = 0;
    const { port, events } = await startDownstream({
      clock,
      ping: { intervalMs: 2_000, timeoutMs: 10_000 },
      handler: async (call) => {
        for (let one = await call.read(); one; one = await call.read()) read += one.length;
        call.end({ code: 0, message: '' }, {});
      },
    });
    const message = Buffer.concat([Buffer.from([0, 0, 0, 0, 15]), Buffer.alloc(15)]);
    const uploading = await tcp(port);
    rawPeer.send(uploading, rawPeer.hello, rawPeer.headers(1));
    uploading.resume();
    const frames = Buffer.concat(Array.from({ length: 5_000 }, () => rawPeer.data(1, message)));
    for (let at = 1; at <= 24; at++) {
      rawPeer.send(uploading, frames);
      await until('all of it is read', () => read === at * 75_000);
    }
    clock.advance(2_000);
    expect(events.of('limit-reached')).toEqual([]);
  });
});
