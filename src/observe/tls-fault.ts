import type { GatewayEvent, RedisOperation } from './events.js';

/**
 * What was wrong with a TLS connection. `authority`: one side does not know who signed the other's certificate; `certificate`: one
 * side wants one that the other did not show, or does not take it; `version`: no version that both speak; `protocol`: TLS, but not
 * HTTP/2; `plaintext`: only one side speaks TLS.
 */
export type TlsFault =
  | 'authority'
  | 'expired'
  | 'name'
  | 'certificate'
  | 'version'
  | 'protocol'
  | 'plaintext'
  | 'other';

/**
 * The words are those of OpenSSL and Node, and of the question marks that `upstream/local-status` and `redis/dial-error` put behind a
 * silence. The first that fits counts; one that was lost before TLS had begun is a lost connection like any other.
 */
const BY_WORDS: readonly (readonly [RegExp, TlsFault | undefined])[] = [
  [/before secure TLS connection was established/, undefined],
  [/altnames/i, 'name'],
  [/expired|not yet valid|NOT_YET_VALID/i, 'expired'],
  [/unknown ca\b|unable to (get|verify)|UNABLE_TO|self.signed|issuer/i, 'authority'],
  [/wrong version number|http request|(want|speak) TLS\?/i, 'plaintext'],
  [/protocol version|unsupported protocol|version too low/i, 'version'],
  [/certificate required|not return a certificate|bad certificate|accept the certificate/i, 'certificate'],
  [/ALPN|application protocol/i, 'protocol'],
  [/\bTLS\b|\bSSL\b|certificate/i, 'other'],
];

/**
 * What TLS did not let happen; undefined: it was not TLS, or nothing failed. That a manager is `failed` is told twice, of its probe and of
 * its address.
 */
export function tlsFaultIn(event: GatewayEvent): TlsFault | undefined {
  switch (event.kind) {
    case 'connection-refused':
      return event.reason === 'tls-handshake' ? (faultOf(event.detail) ?? 'other') : undefined;
    case 'probe-finished':
      return event.state === 'failed' ? faultOf(event.detail) : undefined;
    case 'address-state-changed':
      return event.to === 'failed' ? faultOf(event.detail) : undefined;
    case 'redis-failed':
      return isDialling(event.operation) ? faultOf(event.detail) : undefined;
    default:
      return undefined;
  }
}

function isDialling(operation: RedisOperation): boolean {
  return operation === 'connect' || operation === 'subscribe';
}

function faultOf(words: string): TlsFault | undefined {
  return BY_WORDS.find(([pattern]) => pattern.test(words))?.[1];
}
