/** What Node and OpenSSL add to an error. */
type Foreign = Error & { readonly code?: string; readonly reason?: string };

/** Where in a conversation a connection to Redis was lost. */
export interface Dialled {
  readonly tls: boolean;
  /** It has been spoken with, in the same way: whether both sides speak TLS is no question any more, and it may be starting anew. */
  readonly spokenWith: boolean;
  /** TLS was not agreed upon yet: OpenSSL says so where that is the reason. */
  readonly inHandshake: boolean;
}

/**
 * Why a connection to Redis did not come about, for operators. A Redis that does not take a certificate says so behind the
 * handshake (TLS 1.3), and as commands are under way by then, often all that arrives is a reset; one that is spoken to in
 * plaintext says nothing at all, and one that speaks none waits for the end of a line.
 */
export function dialError(error: Foreign, dialled: Dialled): Error {
  const words = wordsFor(error, dialled);
  return words === undefined ? error : new Error(words, { cause: error });
}

function wordsFor(
  { message, code, reason }: Foreign,
  { tls, spokenWith, inHandshake }: Dialled,
): string | undefined {
  // OpenSSL's own words; in the message they stand among addresses and files.
  if (reason !== undefined && code?.startsWith('ERR_SSL_')) return `TLS: ${reason}`;
  // Of a Sentinel or a node of a cluster ioredis says no more.
  if (/(All sentinels|Connection is closed)/.test(message))
    return `${message} (manager-gateway doctor asks each of redis.addrs by itself)`;
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
      if (tls)
        return inHandshake ? undefined : `${message} (does it accept the certificate of redis.tls.cert?)`;
      return spokenWith ? undefined : `${message} (does it want TLS?)`;
    case 'ETIMEDOUT':
      return tls && !spokenWith ? `${message} (does it speak TLS?)` : undefined;
    default:
      return undefined;
  }
}
