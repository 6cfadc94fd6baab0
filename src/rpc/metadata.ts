/**
 * Metadata as it stands on the wire: lower-case keys; ASCII values as text, `-bin` values as base64 text
 * (several, joined by commas, where the transport joined them). Kept in this form end to end so that what
 * passes through is never decoded and encoded again.
 */
export type Metadata = Readonly<Record<string, string | readonly string[] | undefined>>;

export const NO_METADATA: Metadata = Object.freeze({});

/**
 * Keys that belong to one hop: HTTP/2's and gRPC's own. They are made anew on each side
 * (source: gRPC over HTTP2, PROTOCOL-HTTP2.md, and RFC 9113 §8.2.2 for the connection-specific ones).
 */
const HOP_BY_HOP = new Set([
  'content-type',
  'content-length',
  'te',
  'user-agent',
  'grpc-timeout',
  'grpc-encoding',
  'grpc-accept-encoding',
  'grpc-status',
  'grpc-message',
  'grpc-message-type',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'host',
  'date',
  'accept-encoding',
]);

/** Does `key` travel with the call, or does it belong to one hop? Pseudo-headers (`:path`) never travel. */
export function isForwarded(key: string): boolean {
  return !key.startsWith(':') && !HOP_BY_HOP.has(key);
}

/** The part of `metadata` that travels with the call. */
export function forwardedMetadata(metadata: Metadata): Metadata {
  const forwarded: Record<string, string | readonly string[]> = {};
  for (const key in metadata) {
    const value = metadata[key];
    if (value !== undefined && isForwarded(key)) forwarded[key] = value;
  }
  return forwarded;
}
