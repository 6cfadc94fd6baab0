import { createHash } from 'node:crypto';

/**
 * Records in a file: a mark, the length of the payload (uint32, big-endian), 16 bytes of the SHA-256 of length and payload, the
 * payload. The mark lets a reader go on behind a damaged one.
 */
const MARK = Buffer.from('DFr1');
const DIGEST_BYTES = 16;
const HEAD_BYTES = MARK.length + 4 + DIGEST_BYTES;

export interface RecordsRead {
  /** The sound ones, in the order of the file. */
  readonly payloads: readonly Buffer[];
  /** Bytes that belong to no sound record. */
  readonly damagedBytes: number;
}

export function frameRecord(payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  MARK.copy(head);
  head.writeUInt32BE(payload.length, MARK.length);
  digestOf(payload).copy(head, MARK.length + 4);
  return Buffer.concat([head, payload]);
}

/** Reads whatever is sound, wherever the file was cut or altered. Never throws. */
export function readRecords(bytes: Buffer): RecordsRead {
  const payloads: Buffer[] = [];
  let damagedBytes = 0;
  let at = 0;
  while (at < bytes.length) {
    const payload = recordAt(bytes, at);
    if (payload !== undefined) {
      payloads.push(payload);
      at += HEAD_BYTES + payload.length;
      continue;
    }
    const next = bytes.indexOf(MARK, at + 1);
    const end = next === -1 ? bytes.length : next;
    damagedBytes += end - at;
    at = end;
  }
  return { payloads, damagedBytes };
}

function recordAt(bytes: Buffer, at: number): Buffer | undefined {
  const start = at + HEAD_BYTES;
  if (start > bytes.length || !bytes.subarray(at, at + MARK.length).equals(MARK)) return undefined;
  const end = start + bytes.readUInt32BE(at + MARK.length);
  if (end > bytes.length) return undefined;
  const payload = bytes.subarray(start, end);
  return digestOf(payload).equals(bytes.subarray(start - DIGEST_BYTES, start)) ? payload : undefined;
}

function digestOf(payload: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length);
  return createHash('sha256').update(length).update(payload).digest().subarray(0, DIGEST_BYTES);
}
