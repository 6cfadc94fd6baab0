import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit } from '../../src/downstream/admission.js';
import { decodeStatusText, encodeStatusText } from '../../src/downstream/status-text.js';
import { parseTimeoutMs } from '../../src/downstream/timeouts.js';

describe('grpc-message', () => {
  it('is printable ASCII on the wire and comes back as it was, whatever it says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const encoded = encodeStatusText(text);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeStatusText(encoded)).toBe(Buffer.from(text, 'utf8').toString('utf8'));
      }),
    );
  });

  it('leaves plain text alone and encodes the rest as gRPC says', () => {
    expect(encodeStatusText('record not found')).toBe('record not found');
    expect(encodeStatusText('100% schön\n')).toBe('100%25 sch%C3%B6n%0A');
  });

  it('is not dropped when its escapes are broken', () => {
    expect(decodeStatusText('50%, %zz, %41%4')).toBe('50%, %zz, A%4');
  });
});

describe('grpc-timeout', () => {
  it.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['10S', 10_000],
    ['250m', 250],
    ['99999999u', 99_999.999],
    ['500n', 0.0005],
    ['0S', 0],
  ])('%s is %d ms', (text, expectedMs) => {
    expect(parseTimeoutMs(text)).toBeCloseTo(expectedMs, 9);
  });

  it.each(['', '1', 'S', '-1S', '1.5S', '123456789S', '1s', '1 S', '1SS', '١S'])(
    '%j is refused in words',
    (text) => {
      expect(() => parseTimeoutMs(text)).toThrow(/grpc-timeout is .* are allowed/);
    },
  );
});

describe('the header block of a request', () => {
  const LEAST = [':method', 'POST', ':path', '/s/m', 'content-type', 'application/grpc'];

  it('keeps several values of one key apart and in order', () => {
    const admission = admit([...LEAST, 'a', '1', 'a-bin', 'AA', 'a', '2', 'a', '3'], 4_096);
    expect(admission.kind === 'call' && { ...admission.metadata }).toEqual({
      'content-type': 'application/grpc',
      a: ['1', '2', '3'],
      'a-bin': 'AA',
    });
  });

  it('takes a key that is also a word of JavaScript for a key', () => {
    const admission = admit([...LEAST, '__proto__', 'x', 'constructor', 'y'], 4_096);
    expect(admission.kind === 'call' && Object.keys(admission.metadata)).toEqual([
      'content-type',
      '__proto__',
      'constructor',
    ]);
  });

  it.each([
    [['application/grpc'], 'call'],
    [['application/grpc+proto'], 'call'],
    [['application/grpc;charset=utf-8'], 'call'],
    [['application/grpc-web'], 'refused'],
    [['text/html'], 'refused'],
    [[], 'refused'],
  ])('of content-type %j is a %s', (types, kind) => {
    const raw = [':method', 'POST', ':path', '/s/m', ...types.flatMap((type) => ['content-type', type])];
    expect(admit(raw, 4_096).kind).toBe(kind);
  });

  it('is admitted or refused, never thrown at, whatever it holds', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 12 }), (raw) => {
        expect(['call', 'refused']).toContain(admit([...LEAST, ...raw], 400).kind);
      }),
    );
  });
});
