/** What Node and OpenSSL add to an error. */
type Foreign = Error & { readonly code?: string; readonly reason?: string };

/**
 * Why a connection to Redis did not come about, for operators. A Redis that does not take a certificate says so behind the
 * handshake (TLS 1.3), and as commands are under way by then, often all that arrives is a reset; one that is spoken to in
 * plaintext says nothing at all, and one that speaks none waits for the end of a line.
 */
export function dialError(error: Foreign, tls: boolean): Error {
  const words = wordsFor(error, tls);
  return words === undefined ? error : new Error(words, { cause: error });
}

function wordsFor({ message, code, reason }: Foreign, tls: boolean): string | undefined {
  // OpenSSL's own words; in the message they stand among addresses and files.
  if (reason !== undefined && code?.startsWith('ERR_SSL_')) return `TLS: ${reason}`;
  // Of a Sentinel or a node of a cluster ioredis says no more.
  if (/(All sentinels|Connection is closed)/.test(message))
    return `${message} (manager-gateway doctor asks each of redis.addrs by itself)`;
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return tls
        ? `${message} (does it accept the certificate of redis.tls.cert?)`
        : `${message} (does it want TLS?)`;
    case 'ETIMEDOUT':
      return tls ? `${message} (does it speak TLS?)` : undefined;
    default:
      return undefined;
  }
}
