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

/** The words are those of OpenSSL and Node, and of the question marks that `upstream/local-status` and `redis/dial-error` put behind a silence. */
const BY_WORDS: readonly (readonly [RegExp, TlsFault])[] = [
  [/altnames/i, 'name'],
  [/expired|not yet valid|NOT_YET_VALID/i, 'expired'],
  [/unknown ca\b|unable to (get|verify)|UNABLE_TO|self.signed|issuer/i, 'authority'],
  [/wrong version number|http request|(want|speak) TLS\?/i, 'plaintext'],
  [/protocol version|unsupported protocol|version too low/i, 'version'],
  [/certificate required|not return a certificate|bad certificate|accept the certificate/i, 'certificate'],
  [/ALPN|application protocol/i, 'protocol'],
  [/\bTLS\b|\bSSL\b|certificate/i, 'other'],
];

/** Undefined: these are not words about TLS. */
export function tlsFaultOf(words: string): TlsFault | undefined {
  return BY_WORDS.find(([pattern]) => pattern.test(words))?.[1];
}
