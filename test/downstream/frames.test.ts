import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deframer } from '../../src/downstream/frames.js';
import { GatewayError } from '../../src/errors.js';
import { frameOf, laidOut, prefixOf } from '../../src/rpc/framed.js';
import { framed } from '../support/framed.js';

const LIMIT_BYTES = 1_000_000;

function drain(deframer: Deframer): { compressed: boolean; payload: Buffer }[] {
  const frames = [];
  for (let frame = deframer.next(); frame; frame = deframer.next()) frames.push(frame);
  return frames;
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof GatewayError ? error.code : `not ours: ${error}`;
  }
}

describe('the deframer', () => {
  it('gives the same frames however the bytes are cut', () => {
    const frame = fc.record({ flag: fc.constantFrom(0, 1), payload: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (frames, cuts) => {
          const wire = Buffer.concat(frames.map(({ flag, payload }) => framed(Buffer.from(payload), flag)));
          const deframer = new Deframer(LIMIT_BYTES);
          const received = [];
          for (let at = 0; at < wire.length; ) {
            const sizeBytes = cuts.next().value as number;
            // A chunk of its own, as from a socket: what was handed out must not depend on it staying as it is.
            deframer.push(Buffer.from(wire.subarray(at, at + sizeBytes)));
            at += sizeBytes;
            received.push(...drain(deframer));
          }
          deframer.finish();
          const expected = frames.map(({ flag, payload }) => ({
            compressed: flag === 1,
            payload: Buffer.from(payload),
          }));
          expect(received).toEqual(expected);
        },
      ),
    );
  });

  it('takes frames split at every byte', () => {
    const wire = Buffer.concat([
      framed(Buffer.from('one')),
      framed(Buffer.alloc(0)),
      framed(Buffer.from('three'), 1),
    ]);
    for (let cut = 0; cut <= wire.length; cut++) {
      const deframer = new Deframer(LIMIT_BYTES);
      deframer.push(wire.subarray(0, cut));
      const received = drain(deframer);
      deframer.push(wire.subarray(cut));
      received.push(...drain(deframer));
      expect(received.map(({ payload }) => payload.toString())).toEqual(['one', '', 'three']);
    }
  });

  it('keeps frames that were handed out as they are while more is appended', () => {
    const deframer = new Deframer(LIMIT_BYTES);
    const wire = Buffer.concat([framed(Buffer.from('first')), framed(Buffer.from('second'))]);
    deframer.push(wire.subarray(0, 3));
    deframer.push(wire.subarray(3, 12));
    const first = deframer.next();
    for (const byte of wire.subarray(12)) deframer.push(Buffer.from([byte]));
    expect(deframer.next()?.payload.toString()).toBe('second');
    expect(first?.payload.toString()).toBe('first');
  });

  it('never fails in another way than its own on random bytes, and holds no more than it was given', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 64 }), { maxLength: 20 }), (chunks) => {
        const deframer = new Deframer(100);
        let givenBytes = 0;
        const code = codeOf(() => {
          for (const chunk of chunks) {
            givenBytes += chunk.length;
            deframer.push(Buffer.from(chunk));
            expect(deframer.bufferedBytes).toBeLessThanOrEqual(givenBytes);
            drain(deframer);
          }
          deframer.finish();
        });
        expect(['malformed-frame', 'message-too-large', undefined]).toContain(code);
      }),
    );
  });

  it('refuses a message over the limit as soon as its length is known', () => {
    const deframer = new Deframer(10);
    deframer.push(framed(Buffer.alloc(11)).subarray(0, 5));
    expect(codeOf(() => deframer.next())).toBe('message-too-large');
    expect(codeOf(() => deframer.next())).toBe('message-too-large');
  });

  it('takes a message of exactly the limit', () => {
    const deframer = new Deframer(10);
    deframer.push(framed(Buffer.alloc(10)));
    expect(deframer.next()?.payload).toHaveLength(10);
  });

  it('refuses a flag that is neither 0 nor 1', () => {
    const deframer = new Deframer(10);
    deframer.push(Buffer.from([2]));
    expect(codeOf(() => deframer.next())).toBe('malformed-frame');
  });

  it('refuses a request that ends inside a message', () => {
    const deframer = new Deframer(10);
    deframer.push(framed(Buffer.alloc(3)).subarray(0, 7));
    expect(deframer.next()).toBeUndefined();
    expect(codeOf(() => deframer.finish())).toBe('malformed-frame');
  });
});

describe('a frame going out', () => {
  it.each([0, 1, 32_768, 32_769, 100_000])('reads back as the %i bytes it was made of', (sizeBytes) => {
    const message = Buffer.alloc(sizeBytes, 7);
    const deframer = new Deframer(LIMIT_BYTES);
    deframer.push(frameOf(message));
    const frame = deframer.next();
    expect(frame?.compressed).toBe(false);
    expect(frame?.payload.equals(message)).toBe(true);
    expect(prefixOf(message)).toEqual(frameOf(message).subarray(0, 5));
  });

  it('is not made again of a message that was laid out for it, and holds on to nothing else', () => {
    const received = Buffer.alloc(10_000, 7).subarray(4_000, 4_100);
    const message = laidOut(received);
    expect(message.equals(received)).toBe(true);
    expect(frameOf(message)).toBe(frameOf(message));
    expect(frameOf(message)).toEqual(frameOf(received));
    expect([message.buffer.byteLength, laidOut(message)]).toEqual([105, message]);
  });

  it('of a message that goes out in slices is not laid out', () => {
    const large = Buffer.alloc(64 * 1024 + 1);
    expect(laidOut(large)).toBe(large);
  });
});
