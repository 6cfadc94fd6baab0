/**
 * The same bytes in memory of their own, for what is kept long: a message may be a slice of all that was read with it, and a short `Buffer.from` is one of
 * Node's pool, and keeps all 8 KiB of that from being freed.
 */
export function ownCopy(message: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(message.length);
  message.copy(copy);
  return copy;
}
