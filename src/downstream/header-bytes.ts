/** What shorter values take is in proportion to what V8 itself sees of them. */
const COUNTED_FROM_BYTES = 128;
const MIB = 1024 * 1024;
/** As much as V8 lets pass of memory that it is told of before it collects (`kExternalAllocationSoftLimit`). */
const LET_PASS_BYTES = 64 * MIB;

/**
 * Has V8 collect when many bytes of header values have come. node:http2 makes them strings whose bytes lie outside V8's heap; only a
 * full collection frees them, and V8, which sees some 30 bytes of each, has no reason for one: at 60 KB each they
 * were 500 MiB before it had. Returns what is to be told of each header list (name, value, name, value, …).
 */
export function createHeaderBytes(collect: () => void = beginCollecting): (raw: readonly string[]) => void {
  let sinceBytes = 0;
  return (raw) => {
    for (let at = 1; at < raw.length; at += 2) {
      const { length } = raw[at] as string;
      if (length >= COUNTED_FROM_BYTES) sinceBytes += length;
    }
    if (sinceBytes < LET_PASS_BYTES) return;
    sinceBytes = 0;
    collect();
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
