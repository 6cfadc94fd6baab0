import { GatewayError } from '../errors.js';

const MOST_DIGITS = 8;
const ZERO = '0'.charCodeAt(0);

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** `grpc-timeout` in ms, with fractions. Throws GatewayError `malformed-request`. Source: PROTOCOL-HTTP2.md, "Timeout". */
export function parseTimeoutMs(text: string): number {
  const timeoutMs = timeoutMsOf(text);
  if (timeoutMs !== undefined) return timeoutMs;
  const shown = JSON.stringify(text.slice(0, 32));
  throw new GatewayError(
    'malformed-request',
    `grpc-timeout is ${shown}; up to 8 digits and one of H M S m u n are allowed`,
  );
}

/** As `parseTimeoutMs`, undefined where that throws. By hand: it comes with every call, and an expression takes 1.5 µs of it. */
export function timeoutMsOf(text: string): number | undefined {
  const digits = text.length - 1;
  const unitMs = UNIT_MS[text[digits] ?? ''];
  if (unitMs === undefined || digits < 1 || digits > MOST_DIGITS) return undefined;
  let count = 0;
  for (let at = 0; at < digits; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    count = count * 10 + digit;
  }
  return count * unitMs;
}
