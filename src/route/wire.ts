/**
 * The field numbers at the top level of a protobuf message, without decoding it; undefined if the bytes are no
 * such message. Source: protobuf.dev/programming-guides/encoding.
 */
export function fieldNumbers(bytes: Buffer): ReadonlySet<number> | undefined {
  const numbers = new Set<number>();
  let at = 0;
  while (at < bytes.length) {
    const key = readVarint(bytes, at);
    if (key === undefined) return undefined;
    const number = Math.floor(key.value / 8);
    if (number === 0) return undefined;
    const end = skipValue(bytes, key.next, key.value & 7);
    if (end === undefined || end > bytes.length) return undefined;
    numbers.add(number);
    at = end;
  }
  return numbers;
}

function skipValue(bytes: Buffer, at: number, wireType: number): number | undefined {
  switch (wireType) {
    case 0:
      return readVarint(bytes, at)?.next;
    case 1:
      return at + 8;
    case 2: {
      const length = readVarint(bytes, at);
      return length === undefined ? undefined : length.next + length.value;
    }
    case 5:
      return at + 4;
    default:
      // Groups (3 and 4) are long out of use; whoever sends one is forwarded untouched.
      return undefined;
  }
}

/** Values above 2^53 lose precision, which matters to nobody here: only lengths and keys are looked at. */
function readVarint(bytes: Buffer, start: number): { value: number; next: number } | undefined {
  let value = 0;
  let scale = 1;
  for (let at = start; at < Math.min(start + 10, bytes.length); at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next: at + 1 };
    scale *= 128;
  }
  return undefined;
}
