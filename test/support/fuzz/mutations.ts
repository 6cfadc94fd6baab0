import { wireFields } from '../../../src/route/wire.js';
import type { Draw } from './rounds.js';

type Mutation = (draw: Draw, bytes: Buffer, others: readonly Buffer[]) => Buffer;

/** Bytes at which readers of numbers and lengths change their mind. */
const EDGES = [0x00, 0x01, 0x02, 0x07, 0x0a, 0x7f, 0x80, 0xfe, 0xff];
const LARGEST_PIECE = 64;

/** `bytes` after one to three mutations; `others` are what it may be spliced with. */
export function mutated(draw: Draw, bytes: Buffer, others: readonly Buffer[]): Buffer {
  let result = bytes;
  for (let left = 1 + draw.below(3); left > 0; left--) result = draw.oneOf(MUTATIONS)(draw, result, others);
  return result;
}

/** The same of any text or file, which has no fields. */
export function mutatedText(draw: Draw, bytes: Buffer, others: readonly Buffer[]): Buffer {
  let result = bytes;
  for (let left = 1 + draw.below(3); left > 0; left--) result = draw.oneOf(ANYWHERE)(draw, result, others);
  return result;
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Puts `piece` in place of what stands between two places. */
function replaced(bytes: Buffer, from: number, to: number, piece: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), piece, bytes.subarray(to)]);
}

/** A stretch of `bytes`, as its two ends. */
function stretch(draw: Draw, bytes: Buffer): [from: number, to: number] {
  const from = draw.below(bytes.length + 1);
  return [from, Math.min(bytes.length, from + draw.below(LARGEST_PIECE))];
}

const flipBit: Mutation = (draw, bytes) => {
  if (bytes.length === 0) return draw.bytes(1);
  const flipped = Buffer.from(bytes);
  const at = draw.below(bytes.length);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << draw.below(8));
  return flipped;
};

const setByte: Mutation = (draw, bytes) => {
  const [from] = stretch(draw, bytes);
  return replaced(bytes, from, from + 1, Buffer.from([draw.oneOf(EDGES)]));
};

const cutOff: Mutation = (draw, bytes) => bytes.subarray(0, draw.below(bytes.length + 1));

const takeOut: Mutation = (draw, bytes) => replaced(bytes, ...stretch(draw, bytes), Buffer.alloc(0));

const putIn: Mutation = (draw, bytes) => {
  const [at] = stretch(draw, bytes);
  return replaced(bytes, at, at, draw.bytes(draw.below(LARGEST_PIECE)));
};

const sayTwice: Mutation = (draw, bytes) => {
  const [from, to] = stretch(draw, bytes);
  return replaced(bytes, to, to, bytes.subarray(from, to));
};

const splice: Mutation = (draw, bytes, others) => {
  const other = draw.oneOf(others) ?? bytes;
  const [to] = stretch(draw, bytes);
  const [from] = stretch(draw, other);
  return Buffer.concat([bytes.subarray(0, to), other.subarray(from)]);
};

const ANYWHERE = [flipBit, setByte, cutOff, takeOut, putIn, sayTwice, splice];

/** Its fields with their tags, as they stand; none: it is no message any more. */
function fieldsOf(bytes: Buffer): Buffer[] {
  let at = 0;
  return (wireFields(bytes) ?? []).map(({ to }) => {
    const field = bytes.subarray(at, to);
    at = to;
    return field;
  });
}

const swapFields: Mutation = (draw, bytes) => {
  const fields = fieldsOf(bytes);
  if (fields.length < 2) return bytes;
  const [one] = fields.splice(draw.below(fields.length), 1) as [Buffer];
  fields.splice(draw.below(fields.length + 1), 0, one);
  return Buffer.concat(fields);
};

const sayFieldAgain: Mutation = (draw, bytes, others) => {
  const fields = [...fieldsOf(bytes), ...fieldsOf(draw.oneOf(others) ?? bytes)];
  return fields.length === 0 ? bytes : Buffer.concat([bytes, draw.oneOf(fields)]);
};

/** A field of a newer API, or with a number that no API has, of any wire type. */
const addUnknown: Mutation = (draw, bytes) => {
  const tag = varint(draw.oneOf([9, 15, 16, 99, 2_000, 2 ** 28, 2 ** 29]) * 8 + draw.below(8));
  return Buffer.concat([bytes, tag, draw.bytes(draw.below(12))]);
};

/** The value stays, and the tag says that it is of another type, or of another field. */
const lieInTag: Mutation = (draw, bytes) => {
  const fields = fieldsOf(bytes);
  if (fields.length === 0) return bytes;
  const at = draw.below(fields.length);
  const lied = Buffer.from(fields[at] as Buffer);
  lied[0] = draw.below(2) === 0 ? ((lied[0] ?? 0) & 0xf8) | draw.below(8) : draw.below(128);
  fields[at] = lied;
  return Buffer.concat(fields);
};

/** A length that is a little, or by far, another one than what follows. */
const lieInLength: Mutation = (draw, bytes) => {
  const withLength = (wireFields(bytes) ?? []).filter(({ wireType }) => wireType === 2);
  if (withLength.length === 0) return bytes;
  const { from, to } = draw.oneOf(withLength);
  const length = Math.max(0, draw.oneOf([to - from - 1, to - from + 1, 0, 2 ** 31, 2 ** 32, 2 ** 53]));
  return replaced(bytes, from - varint(to - from).length, from, varint(length));
};

const MUTATIONS = [...ANYWHERE, swapFields, sayFieldAgain, addUnknown, lieInTag, lieInLength];
