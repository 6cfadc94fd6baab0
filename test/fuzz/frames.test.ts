import { deflateSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { type Encoding, unpack } from '../../src/downstream/compression.js';
import { Deframer, type Frame } from '../../src/downstream/frames.js';
import { GatewayError } from '../../src/errors.js';
import { framed } from '../support/framed.js';
import { mutatedText } from '../support/fuzz/mutations.js';
import { MESSAGES } from '../support/fuzz/recorded-messages.js';
import { rounds } from '../support/fuzz/rounds.js';

const LIMIT_BYTES = 64 * 1024;
const PACKED: readonly (readonly [Encoding, readonly Buffer[]])[] = [
  ['identity', MESSAGES.map((bytes) => framed(bytes))],
  ['gzip', MESSAGES.map((bytes) => framed(gzipSync(bytes), 1))],
  ['deflate', MESSAGES.map((bytes) => framed(deflateSync(bytes), 1))],
];

function framesIn(deframer: Deframer, chunks: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    deframer.push(chunk);
    for (let frame = deframer.next(); frame; frame = deframer.next()) frames.push(frame);
  }
  return frames;
}

it.each(PACKED)(
  'every recorded message as %s, split at every byte, is what it is',
  async (encoding, frames) => {
    for (const [n, wire] of frames.entries()) {
      let packed = Buffer.alloc(0);
      for (let cut = 0; cut <= wire.length; cut++) {
        const deframer = new Deframer(1 << 22);
        const [frame, ...more] = framesIn(deframer, [wire.subarray(0, cut), wire.subarray(cut)]);
        deframer.finish();
        expect(more).toEqual([]);
        packed = Buffer.from(frame?.payload ?? []);
        if (!wire.subarray(5).equals(packed)) expect({ n, cut }).toBe('as it was sent');
      }
      const message = encoding === 'identity' ? packed : await unpack(packed, encoding, 1 << 22);
      expect(message.equals(MESSAGES[n] as Buffer)).toBe(true);
    }
  },
);

const { count, each } = rounds('mutated frames', 10_000);

it(`${count} mutated streams of frames, in pieces of any size, are messages or refused in the gateway's own words`, async () => {
  let refused = 0;
  await each(async (draw, n) => {
    const [encoding, frames] = draw.oneOf(PACKED);
    const whole = Buffer.concat([draw.oneOf(frames), draw.oneOf(frames)]);
    const wire = mutatedText(draw, whole, frames);
    const deframer = new Deframer(LIMIT_BYTES);
    const cuts = Array.from({ length: draw.below(4) }, () => draw.below(wire.length + 1)).sort(
      (a, b) => a - b,
    );
    const chunks = [0, ...cuts].map((from, at) => wire.subarray(from, cuts[at] ?? wire.length));
    try {
      const found = framesIn(deframer, chunks);
      deframer.finish();
      // Off the event loop, a thousand times as slow as the rest.
      if (n % 16 === 0)
        for (const { compressed, payload } of found)
          if (compressed) await unpack(payload, encoding, LIMIT_BYTES);
    } catch (error) {
      refused++;
      if (!(error instanceof GatewayError)) throw error;
      expect(['malformed-frame', 'message-too-large']).toContain(error.code);
    }
    expect(deframer.bufferedBytes).toBeLessThanOrEqual(wire.length);
  });
  if (count > 1_000) expect(refused).toBeGreaterThan(count / 20);
});
