import { NARROW_BYTES, WIDEST_BYTES, wireFields } from './wire.js';

/** A message's fields, by number. */
export type Shape = ReadonlyMap<number, FieldShape>;

interface FieldShape {
  readonly wireTypes: readonly number[];
  /** Of what lies within it: the entries of a map. */
  readonly inner?: Shape;
  /** Not of 64 bits, where it is a varint. */
  readonly isNarrow: boolean;
}

/** As far as it is looked at here, a google.protobuf.DescriptorProto. */
export interface MessageDescriptor {
  readonly name: string;
  readonly field: readonly {
    readonly number: number;
    readonly type: string;
    readonly label: string;
    readonly typeName: string;
  }[];
  readonly nestedType: readonly MessageDescriptor[];
}

const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5] as const;
const WIRE_TYPES: Readonly<Record<string, number>> = {
  TYPE_DOUBLE: FIXED64,
  TYPE_FIXED64: FIXED64,
  TYPE_SFIXED64: FIXED64,
  TYPE_STRING: LENGTH,
  TYPE_BYTES: LENGTH,
  TYPE_MESSAGE: LENGTH,
  TYPE_FLOAT: FIXED32,
  TYPE_FIXED32: FIXED32,
  TYPE_SFIXED32: FIXED32,
};

const WIDE = new Set(['TYPE_INT64', 'TYPE_UINT64', 'TYPE_SINT64']);

export function shapeOf({ field, nestedType }: MessageDescriptor): Shape {
  const inner = new Map(nestedType.map((one) => [one.name, shapeOf(one)]));
  return new Map(
    field.map(({ number, type, label, typeName }) => {
      const own = WIRE_TYPES[type] ?? VARINT;
      // Repeated numbers may be packed, or not.
      const wireTypes = label === 'LABEL_REPEATED' ? [own, LENGTH] : [own];
      const shape = inner.get(typeName);
      const isNarrow = !WIDE.has(type);
      return [number, { wireTypes, isNarrow, ...(shape && { inner: shape }) }];
    }),
  );
}

/**
 * Are the bytes a message whose known fields are of their own wire types, and as long as somebody writes them? Where one is not, readers
 * differ: protobufjs reads on in the middle of it, so that a request would look like another one; Go's library takes it for a field that
 * it does not know, or for what it is.
 */
export function hasShape(bytes: Buffer, shape: Shape): boolean {
  const fields = wireFields(bytes);
  if (fields === undefined) return false;
  return fields.every(({ number, wireType, from, to }) => {
    const known = shape.get(number);
    if (known === undefined) return true;
    if (!known.wireTypes.includes(wireType)) return false;
    if (wireType === VARINT && known.isNarrow && to - from > NARROW_BYTES && to - from !== WIDEST_BYTES)
      return false;
    return known.inner === undefined || hasShape(bytes.subarray(from, to), known.inner);
  });
}
