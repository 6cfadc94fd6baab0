import { describe, expect, it } from 'vitest';
import { admit } from '../../src/downstream/admission.js';
import { createAdmitting } from '../../src/downstream/admitting.js';

const LIMITS = { maxMetadataBytes: 4_096 };
const request = (...more: readonly string[]): string[] => [
  ...[':method', 'POST', ':path', '/a.B/C', 'content-type', 'application/grpc'],
  ...more,
];
const timeout = (text: string): string[] => request('grpc-timeout', text, 'a', '1');

describe('what a connection says again is understood as it was the first time', () => {
  it.each<[string, readonly (readonly string[])[]]>([
    ['the same', [request('a', '1'), request('a', '1')]],
    ['another first name', [['a', 'POST', ...request().slice(2)], request()]],
    ['another value', [request('a', '1'), request('a', '2')]],
    ['more', [request('a', '1'), request('a', '1', 'b', '2')]],
    ['another path', [request(), [...request().slice(0, 3), '/a.B/D', ...request().slice(4)]]],
    ['another timeout', [timeout('5000u'), timeout('4999u'), timeout('1m'), timeout('9H')]],
    ['a timeout of no known unit', [timeout('5000u'), timeout('5000x'), timeout('5001u')]],
    ['a timeout that is no number', [timeout('5000u'), timeout('5e00u'), timeout('-500u')]],
    ['a timeout for the first time', [request('a', '1'), timeout('5000u')]],
    ['a timeout no more', [timeout('5000u'), request('a', '1')]],
    [
      'two timeouts, of which the first counts',
      [
        request('grpc-timeout', '1S', 'grpc-timeout', '2S'),
        request('grpc-timeout', '1S', 'grpc-timeout', '3S'),
      ],
    ],
    [
      'a key of that name as a value',
      [request('a', 'grpc-timeout', '1S', 'b'), request('a', 'grpc-timeout', '2S', 'b')],
    ],
  ])('%s', (_, said) => {
    const understand = createAdmitting(LIMITS);
    for (const raw of said) expect(understand(raw)).toEqual(admit(raw, LIMITS.maxMetadataBytes));
  });

  it('and a request that grows by its timeout is held against the limit', () => {
    const raw = timeout('1S');
    const sizeBytes = raw.reduce((sum, { length }) => sum + length, 0) + (raw.length / 2) * 32;
    const understand = createAdmitting({ maxMetadataBytes: sizeBytes });
    expect(understand(raw).kind).toBe('call');
    expect(understand(timeout('9S')).kind).toBe('call');
    expect(understand(timeout('10S')).kind).toBe('refused');
  });
});
