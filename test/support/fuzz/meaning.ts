import { protoDirectory } from '../../../src/route/proto.js';
import { type ProtoSchema, readProtoSchema, type SchemaField } from '../../route/proto-schema.js';

/**
 * What a request says, read from its bytes by another reader than the gateway's, as Go's library reads them: the last one counts, a field
 * of another wire type is one that nobody knows.
 */
export interface Meaning {
  /** By field; what was not sent is not there, and neither is what is at its default. Entries of a map as `name.key`, all as hex. */
  readonly fields: ReadonlyMap<string, string>;
  /** Numbers, or wire types, that the schema does not know, at the top or in an entry. */
  readonly hasUnknown: boolean;
  /** Of a known number and another wire type. */
  readonly isMistyped: boolean;
}

const schema: ProtoSchema = readProtoSchema(protoDirectory());
const LENGTH_KINDS = new Set(['string', 'bytes', 'message']);

function messageAt(path: string): string {
  const [, service = '', method = ''] = path.split('/');
  const found = schema.services[service]?.find(({ name }) => name === method);
  if (found === undefined) throw new Error(`nothing describes ${path}`);
  return found.input;
}

export function fieldsAt(path: string): readonly SchemaField[] {
  return schema.messages[messageAt(path)] ?? [];
}

/** The key and the value of a map are fields 1 and 2 of its entries. */
export function meaningOf(path: string, bytes: Buffer): Meaning {
  const found = read(messageAt(path), bytes);
  const fields = new Map<string, string>();
  for (const [name, value] of found.scalars) if (!/^0*$/.test(value)) fields.set(name, value);
  for (const [name, value] of found.entries) fields.set(name, value);
  return { fields, hasUnknown: found.hasUnknown, isMistyped: found.isMistyped };
}

interface Read {
  readonly scalars: Map<string, string>;
  readonly entries: Map<string, string>;
  hasUnknown: boolean;
  isMistyped: boolean;
}

function read(message: string, bytes: Buffer): Read {
  const known = new Map(schema.messages[message]?.map((field) => [field.number, field]));
  const found: Read = { scalars: new Map(), entries: new Map(), hasUnknown: false, isMistyped: false };
  for (let at = 0; at < bytes.length; ) {
    const [key, valueAt] = varintAt(bytes, at);
    const [wireType, field] = [Number(key & 7n), known.get(Number(key >> 3n))];
    const [from, to] = stretchOf(bytes, valueAt, wireType);
    at = to;
    if (field === undefined) found.hasUnknown = true;
    else if (wireType !== (LENGTH_KINDS.has(field.kind) ? 2 : 0)) found.isMistyped = true;
    else if (field.kind === 'message') takeEntry(found, field, bytes.subarray(from, to));
    else found.scalars.set(field.name, scalar(field, bytes, from, to));
  }
  return found;
}

function takeEntry(found: Read, { name, type }: SchemaField, bytes: Buffer): void {
  const entry = read(type, bytes);
  found.entries.set(`${name}.${entry.scalars.get('key') ?? ''}`, `entry ${entry.scalars.get('value') ?? ''}`);
  found.isMistyped ||= entry.isMistyped;
}

function scalar({ kind }: SchemaField, bytes: Buffer, from: number, to: number): string {
  if (LENGTH_KINDS.has(kind))
    return bytes.toString('hex', from, to).replace(/^(00)+$/, (zeros) => `text ${zeros}`);
  const value = BigInt.asUintN(64, varintAt(bytes, from)[0]);
  return (kind === 'uint64' ? value : BigInt.asUintN(32, value)).toString(16);
}

function varintAt(bytes: Buffer, at: number): [value: bigint, next: number] {
  let value = 0n;
  for (let next = at; next < bytes.length; next++) {
    const byte = bytes[next] ?? 0;
    value |= BigInt(byte & 0x7f) << BigInt(7 * (next - at));
    if (byte < 0x80) return [value, next + 1];
  }
  throw new Error('a varint does not end');
}

function stretchOf(bytes: Buffer, at: number, wireType: number): [from: number, to: number] {
  if (wireType === 0) return [at, varintAt(bytes, at)[1]];
  if (wireType === 1) return [at, at + 8];
  if (wireType === 5) return [at, at + 4];
  const [length, from] = varintAt(bytes, at);
  return [from, from + Number(length)];
}
