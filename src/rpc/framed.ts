/** What stands before each message: 1 byte flag, 4 bytes length, big endian. Source: PROTOCOL-HTTP2.md, "Length-Prefixed-Message". */
export const PREFIX_BYTES = 5;
/** A larger message is handed out in slices, at the pace of who reads it. */
export const LARGEST_WHOLE_BYTES = 64 * 1024;

/** Messages that were laid behind their prefix, and both together. */
const laid = new WeakMap<Buffer, Buffer>();

/** An uncompressed message as it goes out, in one buffer: handing it down in two costs more than to copy it. */
export function frameOf(message: Buffer): Buffer {
  return laid.get(message) ?? copyOf(message);
}

/**
 * The same message in memory of its own, which begins with its prefix: however often it is given, it is not copied again, and nothing
 * else that came with it is held. One that goes out in slices stays where it is.
 */
export function laidOut(message: Buffer): Buffer {
  if (message.length > LARGEST_WHOLE_BYTES || laid.has(message)) return message;
  const frame = copyOf(message, Buffer.allocUnsafeSlow(PREFIX_BYTES + message.length));
  const own = frame.subarray(PREFIX_BYTES);
  laid.set(own, frame);
  return own;
}

/** What goes out before an uncompressed message that follows in slices. */
export function prefixOf(message: Buffer): Buffer {
  return prefixed(message, Buffer.allocUnsafe(PREFIX_BYTES));
}

function copyOf(message: Buffer, frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length)): Buffer {
  message.copy(prefixed(message, frame), PREFIX_BYTES);
  return frame;
}

function prefixed(message: Buffer, frame: Buffer): Buffer {
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  return frame;
}
