import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** 43 letters that show that something in Redis is whole, and with a secret, whose it is. */
export interface Check {
  /** Over the name under which it lies, what is said of it beside it, and itself. */
  of(name: string, stamps: string, body: Buffer): string;
  holds(written: string, name: string, stamps: string, body: Buffer): boolean;
}

/**
 * With a secret an HMAC-SHA256 under a key derived from it, another one for each fleet and purpose; without one a plain SHA-256,
 * against accidents only.
 */
export function createCheck(options: { secret: string; fleetId: string; purpose: string }): Check {
  const { secret, fleetId, purpose } = options;
  const key = secret === '' ? undefined : Buffer.from(hkdfSync('sha256', secret, fleetId, purpose, 32));
  const of: Check['of'] = (name, stamps, body) => {
    const hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
    return hash
      .update(JSON.stringify([name, stamps]))
      .update(body)
      .digest('base64url');
  };
  return { of, holds: (written, name, stamps, body) => same(written, of(name, stamps, body)) };
}

/** Compared as text: the last letter of base64 has bits that decoding throws away. */
function same(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
