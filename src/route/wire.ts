/** One field at the top level of a message. */
export interface WireField {
  readonly number: number;
  readonly wireType: number;
  /** Of its value; what is of wire type 2 without its length. */
  readonly from: number;
  readonly to: number;
}

/** The largest that there is; Go's library refuses a message with a larger one. */
const LARGEST_NUMBER = 2 ** 29 - 1;
/** Of a varint of 32 bits. protobufjs takes every longer one for one of ten bytes, and reads on at the wrong place; nobody writes one. */
export const NARROW_BYTES = 5;
export const WIDEST_BYTES = 10;

/**
 * The fields at the top level of a protobuf message, without decoding it; undefined if the bytes are no
 * such message. Source: protobuf.dev/programming-guides/encoding.
 */
export function wireFields(bytes: Buffer): readonly WireField[] | undefined {
  const fields: WireField[] = [];
  let at = 0;
  while (at < bytes.length) {
    const key = readVarint(bytes, at, NARROW_BYTES);
    if (key === undefined) return undefined;
    const number = Math.floor(key.value / 8);
    const wireType = key.value & 7;
    const value = valueAt(bytes, key.next, wireType);
    if (number === 0 || number > LARGEST_NUMBER) return undefined;
    if (value === undefined || value.to > bytes.length) return undefined;
    fields.push({ number, wireType, ...value });
    at = value.to;
  }
  return fields;
}

/** Where it lies; undefined if nobody can tell. It may end behind the end of the bytes. */
function valueAt(bytes: Buffer, at: number, wireType: number): Pick<WireField, 'from' | 'to'> | undefined {
  switch (wireType) {
    case 0: {
      const varint = readVarint(bytes, at);
      return varint && { from: at, to: varint.next };
    }
    case 1:
      return { from: at, to: at + 8 };
    case 2: {
      const length = readVarint(bytes, at, NARROW_BYTES);
      return length && { from: length.next, to: length.next + length.value };
    }
    case 5:
      return { from: at, to: at + 4 };
    default:
      // Groups (3 and 4) are long out of use; whoever sends one is forwarded untouched.
      return undefined;
  }
}

/** Values above 2^53 lose precision, which matters to nobody here: only lengths and keys are looked at. */
function readVarint(
  bytes: Buffer,
  start: number,
  mostBytes = WIDEST_BYTES,
): { value: number; next: number } | undefined {
  let value = 0;
  let scale = 1;
  for (let at = start; at < Math.min(start + mostBytes, bytes.length); at++) {
    const byte = bytes[at] ?? 0;
    // More than 64 bits: protobufjs drops them, Go's library refuses the message.
    if (at === start + WIDEST_BYTES - 1 && byte > 1) return undefined;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next: at + 1 };
    scale *= 128;
  }
  return undefined;
}
