import { deflateSync, gzipSync } from 'node:zlib';

/** A flag, and the length. */
export const PREFIX_BYTES = 5;

/** A message as it stands on the wire: packed and marked so, or as it is, with a flag that may be a lie. */
export function framed(message: Buffer, how: 'gzip' | 'deflate' | number = 0): Buffer {
  const body = how === 'gzip' ? gzipSync(message) : how === 'deflate' ? deflateSync(message) : message;
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt8(typeof how === 'number' ? how : 1);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}
