import { GatewayError } from '../errors.js';

const TIMEOUT = /^([0-9]{1,8})([HMSmun])$/;

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
  const match = TIMEOUT.exec(text);
  const unitMs = match && UNIT_MS[match[2] as string];
  if (!match || unitMs === undefined || unitMs === null) {
    const shown = JSON.stringify(text.slice(0, 32));
    throw new GatewayError(
      'malformed-request',
      `grpc-timeout is ${shown}; up to 8 digits and one of H M S m u n are allowed`,
    );
  }
  return Number(match[1]) * unitMs;
}
