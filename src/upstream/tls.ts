import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, createSecureContext } from 'node:tls';
import type { Config } from '../config/config.js';

type ManagersTls = Config['managers']['tls'];

/**
 * How connections to `host` are secured: the configured authority, or the system's; a client certificate where
 * there is one. The certificate must be for `serverName`, or for `host` as configured, whatever address it
 * resolved to.
 */
export function tlsOptions(tls: ManagersTls, host: string): ConnectionOptions {
  const name = tls.serverName || host;
  return {
    secureContext: createSecureContext({
      ...(tls.caCert && { ca: tls.caCert }),
      ...(tls.cert && { cert: tls.cert }),
      ...(tls.key && { key: tls.key }),
    }),
    // RFC 6066 §3 allows no IP address as a server name.
    servername: isIP(name) ? '' : name,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    ALPNProtocols: ['h2'],
  };
}
