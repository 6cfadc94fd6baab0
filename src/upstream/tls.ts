import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  createSecureContext,
  type SecureContext,
} from 'node:tls';
import type { Config } from '../config/config.js';
import { GatewayError } from '../errors.js';

type ManagersTls = Config['managers']['tls'];

/**
 * How the next connection to `host` is secured, by what `tls` holds when it is dialled: the configured authority, or the
 * system's; a client certificate where there is one. The certificate must be for `serverName`, or for `host` as configured,
 * whatever address it resolved to. Throws `config-invalid` for PEM that cannot be used.
 */
export function tlsTowards(tls: ManagersTls, host: string): () => ConnectionOptions {
  let made = contextOf(tls);
  return () => {
    if (!isOf(made, tls)) made = contextOf(tls);
    return optionsOf(tls, host, made.context);
  };
}

/** The same for one connection. */
export function tlsOptions(tls: ManagersTls, host: string): ConnectionOptions {
  return optionsOf(tls, host, contextOf(tls).context);
}

function optionsOf(
  { serverName }: ManagersTls,
  host: string,
  secureContext: SecureContext,
): ConnectionOptions {
  const name = serverName || host;
  return {
    secureContext,
    // RFC 6066 §3 allows no IP address as a server name.
    servername: isIP(name) ? '' : name,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    ALPNProtocols: ['h2'],
  };
}

type Made = Pick<ManagersTls, 'caCert' | 'cert' | 'key'> & { readonly context: SecureContext };

function isOf(made: Made, { caCert, cert, key }: ManagersTls): boolean {
  return made.caCert === caCert && made.cert === cert && made.key === key;
}

function contextOf({ caCert, cert, key }: ManagersTls): Made {
  try {
    const given = { ...(caCert && { ca: caCert }), ...(cert && { cert }), ...(key && { key }) };
    return { caCert, cert, key, context: createSecureContext({ ...given, minVersion: 'TLSv1.2' }) };
  } catch (error) {
    // OpenSSL refuses at once what is no PEM, or a key that is not the certificate's.
    const reason = error instanceof Error ? error.message : String(error);
    throw new GatewayError('config-invalid', `managers.tls: ${reason}`, { cause: error });
  }
}
