/** A message that fits is in memory for a moment, and there are as many as HTTP/2's windows let in; larger ones are counted. */
const COUNTED_FROM_BYTES = 64 * 1024;

/** Large messages, whole or not, that the gateway holds for callers: what they have announced, or have not taken yet. */
export interface ByteBudget {
  readonly usedBytes: number;
  readonly limitBytes: number;
  /**
   * Makes room for a message; false: too much is under way. One message alone is always taken, however large, or one
   * over the limit could never be.
   */
  take(sizeBytes: number): boolean;
  give(sizeBytes: number): void;
}

export function isCounted(sizeBytes: number): boolean {
  return sizeBytes >= COUNTED_FROM_BYTES;
}

export function createByteBudget(limitBytes: () => number): ByteBudget {
  let usedBytes = 0;
  return {
    get usedBytes() {
      return usedBytes;
    },
    get limitBytes() {
      return limitBytes();
    },
    take(sizeBytes) {
      if (usedBytes > 0 && usedBytes + sizeBytes > limitBytes()) return false;
      usedBytes += sizeBytes;
      return true;
    },
    give(sizeBytes) {
      usedBytes -= sizeBytes;
    },
  };
}
