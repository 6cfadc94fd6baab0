import type { ProtoSchema, SchemaField } from './proto-schema.js';

/**
 * What a message carries, read from its bytes alone: one text per leaf, `schedulers.scheduler_cluster.id=07`, in the
 * order of the bytes, for the leaves of messages below it too. A number that the schema does not know, or that has
 * another wire type than its field, is a leaf `unknown …`. A scalar at its default is left out where sending it and
 * leaving it out mean the same, since encoders differ in that.
 */
export function wireFields(schema: ProtoSchema, message: string, bytes: Uint8Array, prefix = ''): string[] {
  const fields = new Map(schema.messages[message]?.map((field) => [field.number, field]));
  const leaves: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const key = varint(bytes, at);
    const number = Number(key.value >> 3n);
    const wireType = Number(key.value & 7n);
    const value = payload(bytes, key.end, wireType);
    at = value.end;
    const field = fields.get(number);
    if (field === undefined || wireTypeOf(field) !== wireType) {
      leaves.push(`unknown ${prefix}#${number} of ${message}, wire type ${wireType}`);
    } else if (field.kind === 'message') {
      const inner = wireFields(schema, field.type, value.bytes, `${prefix}${field.name}.`);
      leaves.push(`${prefix}${field.name}.`, ...inner);
    } else if (field.label !== 'singular' || field.oneof !== '' || value.bytes.some((byte) => byte !== 0)) {
      leaves.push(`${prefix}${field.name}=${Buffer.from(value.bytes).toString('hex')}`);
    }
  }
  return leaves;
}

const VARINT_KINDS = new Set(['int32', 'int64', 'uint32', 'uint64', 'sint32', 'sint64', 'bool', 'enum']);
const LENGTH_KINDS = new Set(['string', 'bytes', 'message']);

/** Repeated scalars would be packed (wire type 2); the only ones in proto/ are strings and bytes, which never are. */
function wireTypeOf(field: SchemaField): number {
  if (VARINT_KINDS.has(field.kind)) return 0;
  if (LENGTH_KINDS.has(field.kind)) return 2;
  if (field.kind === 'double') return 1;
  throw new Error(`no wire type known for ${field.kind}`);
}

function payload(bytes: Uint8Array, at: number, wireType: number): { bytes: Uint8Array; end: number } {
  const slice = (start: number, end: number) => {
    if (end > bytes.length) throw new Error('a field reaches beyond the end of its message');
    return { bytes: bytes.subarray(start, end), end };
  };
  switch (wireType) {
    case 0:
      return slice(at, varint(bytes, at).end);
    case 1:
      return slice(at, at + 8);
    case 2: {
      const length = varint(bytes, at);
      return slice(length.end, length.end + Number(length.value));
    }
    case 5:
      return slice(at, at + 4);
    default:
      throw new Error(`wire type ${wireType}`);
  }
}

function varint(bytes: Uint8Array, start: number): { value: bigint; end: number } {
  let value = 0n;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new Error('a varint does not end');
}
