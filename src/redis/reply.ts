/**
 * What a script of the gateway has answered, part by part. Each throws on anything that the script would not say: a Redis that lies
 * is treated like one that fails.
 */
export function text(value: unknown): string {
  if (!Buffer.isBuffer(value)) throw unexpected();
  return value.toString('utf8');
}

export function list(value: unknown, length?: number): readonly unknown[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) throw unexpected();
  return value;
}

/** µs since 1970. */
export function time(value: unknown): number {
  const us = Number(text(value));
  if (!Number.isSafeInteger(us) || us < 0) throw unexpected();
  return us;
}

export function unexpected(): Error {
  return new Error('unexpected reply of Redis to a script of the gateway');
}
