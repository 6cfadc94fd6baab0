const KIB = 1024;
/** What shorter values take is in proportion to what V8 itself sees of them. */
const COUNTED_FROM_BYTES = 128;
/** As much as V8 lets pass of memory that it is told of before it collects (`kExternalAllocationSoftLimit`). */
const LET_PASS_BYTES = 64 * KIB * KIB;
/** Collects every 4,096 streams, in 25 ms each time; left alone V8 does it every 50,000 and stops everybody for 200 ms. */
const STREAM_BYTES = 16 * KIB;

/** Has V8 collect in time what it does not see, or sees too late. */
export interface Garbage {
  /** A header list has come: name, value, name, value, … */
  headers(raw: readonly string[]): void;
  /** So many streams have come to nothing, all at once. */
  streams(count: number): void;
}

/**
 * node:http2 makes strings of header values whose bytes lie outside V8's heap. Only a full collection frees them, V8 sees some
 * 30 bytes of each and has no reason for one, and the more there are the longer it takes, as with streams and sessions, which are
 * objects of C++ that it has to ask one by one.
 */
export function createGarbage(collect: () => void = beginCollecting): Garbage {
  let sinceBytes = 0;
  const add = (bytes: number): void => {
    sinceBytes += bytes;
    if (sinceBytes < LET_PASS_BYTES) return;
    sinceBytes = 0;
    collect();
  };
  return {
    headers(raw) {
      for (let at = 1; at < raw.length; at += 2) {
        const { length } = raw[at] as string;
        if (length >= COUNTED_FROM_BYTES) add(length);
      }
    },
    streams: (count) => add(count * STREAM_BYTES),
  };
}

/** There is no call for it; of array buffers V8 is told. Nobody ever touches this one, so that it takes addresses and no memory. */
function beginCollecting(): void {
  try {
    new ArrayBuffer(LET_PASS_BYTES + 1);
  } catch {
    // Not even addresses are left: V8 has collected before it said so.
  }
}
