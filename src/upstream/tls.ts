import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, createSecureContext } from 'node:tls';
import type { Config } from '../config/config.js';
import { GatewayError } from '../errors.js';

type ManagersTls = Config['managers']['tls'];

/**
 * How connections to `host` are secured: the configured authority, or the system's; a client certificate where
 * there is one. The certificate must be for `serverName`, or for `host` as configured, whatever address it
 * resolved to. Throws `config-invalid` for PEM that cannot be used.
 */
export function tlsOptions(tls: ManagersTls, host: string): ConnectionOptions {
  const name = tls.serverName || host;
  return {
    secureContext: secureContext(tls),
    // RFC 6066 §3 allows no IP address as a server name.
    servername: isIP(name) ? '' : name,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    ALPNProtocols: ['h2'],
  };
}

function secureContext({ caCert, cert, key }: ManagersTls) {
  try {
    return createSecureContext({ ...(caCert && { ca: caCert }), ...(cert && { cert }), ...(key && { key }) });
  } catch (error) {
    // OpenSSL refuses at once what is no PEM, or a key that is not the certificate's.
    const reason = error instanceof Error ? error.message : String(error);
    throw new GatewayError('config-invalid', `managers.tls: ${reason}`, { cause: error });
  }
}
