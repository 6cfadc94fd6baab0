import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { CertificateNames, Client } from '../rpc/client.js';
import { certificateNames } from './certificate-names.js';

/**
 * Who stands behind a connection, where callers are asked for certificates. The certificate is looked at now, while it is at hand; what
 * stands in it is read when somebody wants to know, once.
 */
export function clientOf(socket: Socket): Client | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  const text = certificate && (certificate.subjectAltName ?? '');
  let names: CertificateNames | undefined;
  return {
    get names() {
      names ??= text === undefined ? undefined : certificateNames(text);
      return names;
    },
  };
}
