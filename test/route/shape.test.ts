import { describe, expect, it } from 'vitest';
import { hasShape, shapeOf } from '../../src/route/shape.js';

const field = (number: number, type: string, label = 'LABEL_OPTIONAL') => ({
  number,
  type,
  label,
  typeName: '',
});
const SHAPE = shapeOf({
  name: 'Message',
  field: [field(1, 'TYPE_UINT32'), field(2, 'TYPE_UINT64'), field(3, 'TYPE_UINT32', 'LABEL_REPEATED')],
  nestedType: [],
});
const SIX = [0x81, 0x80, 0x80, 0x80, 0x80, 0x01];
const TEN = [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];

describe('a message has the shape of its type', () => {
  it.each<[string, readonly number[], boolean]>([
    ['with a short number', [8, 1], true],
    ['with a negative number, which takes ten bytes', [8, ...TEN], true],
    [
      'with a number of 32 bits in six bytes, which nobody writes and readers differ about',
      [8, ...SIX],
      false,
    ],
    ['with a number of 64 bits in six bytes', [16, ...SIX], true],
    ['with a text where a number is meant', [10, 1, 65], false],
    ['with repeated numbers, not packed', [24, 1, 24, 2], true],
    ['with repeated numbers, packed, however many', [26, 7, 1, 2, 3, 4, 5, 6, 7], true],
    ['with a field that nobody knows', [34, 1, 65], true],
    ['cut off', [8], false],
  ])('%s', (_, bytes, has) => {
    expect(hasShape(Buffer.from(bytes), SHAPE)).toBe(has);
  });
});
