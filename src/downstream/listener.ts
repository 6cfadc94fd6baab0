import net from 'node:net';
import tls from 'node:tls';
import { GatewayError } from '../errors.js';
import type { Emit } from '../observe/events.js';
import type { DownstreamOptions } from './engine.js';

/** A caller that takes longer over TLS is none. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * The listening socket, plain or TLS. `onSocket` gets sockets that are ready for HTTP/2.
 * Throws GatewayError `config-invalid` where certificate and key are no pair.
 */
export function createListener(
  options: DownstreamOptions,
  onSocket: (socket: net.Socket) => void,
): net.Server {
  const { cert, key } = options.tls;
  const server = cert !== '' && key !== '' ? tlsServer(options, onSocket) : net.createServer(onSocket);
  // Node looks at it for each connection that comes.
  Object.defineProperty(server, 'maxConnections', { get: () => options.limits.maxConnections });
  server.on('drop', () => {
    const detail = `${options.limits.maxConnections} connections are open, and no more are allowed (server.maxConnections)`;
    options.emit({ kind: 'connection-refused', reason: 'max-connections', detail });
  });
  return server;
}

function tlsServer(options: DownstreamOptions, onSocket: (socket: net.Socket) => void): tls.Server {
  const server = createTlsServer(options.tls);
  server.on('secureConnection', (socket) => {
    const objection = objectionTo(socket, options.tls);
    if (objection === undefined) {
      onSocket(socket);
      return;
    }
    socket.on('error', () => {});
    socket.destroy();
    refuse(options.emit, objection);
  });
  // OpenSSL's own words are in `reason`; in the message they stand among addresses and files.
  server.on('tlsClientError', (error: NodeJS.ErrnoException & { readonly reason?: string }, socket) => {
    const verdict = socket.authorizationError as Error | string | null | undefined;
    // Connected and gone again: a TCP probe (`nc -vz`), nothing to tell.
    if (error.code === 'ECONNRESET' && !verdict) return;
    refuse(options.emit, verdict ? `client certificate: ${verdict}` : (error.reason ?? error.message));
  });
  return server;
}

/** Connections that are open stay as they are: TLS looks at certificates when one is opened. */
export function renewTls(server: net.Server, options: DownstreamOptions['tls']): void {
  if (server instanceof tls.Server) server.setSecureContext(secureContext(options));
}

function secureContext({ cert, key, caCert }: DownstreamOptions['tls']): tls.SecureContextOptions {
  return { cert, key, ...(caCert !== '' && { ca: caCert }), minVersion: 'TLSv1.2' };
}

function createTlsServer(options: DownstreamOptions['tls']): tls.Server {
  const { clientAuth } = options;
  try {
    return tls.createServer({
      ...secureContext(options),
      requestCert: clientAuth !== 'none',
      rejectUnauthorized: clientAuth === 'require',
      ALPNProtocols: ['h2'],
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
  } catch (cause) {
    throw new GatewayError('config-invalid', `server.tls: ${(cause as Error).message}`, { cause });
  }
}

/** `request`: a caller may come without a certificate, but one that brings a wrong one is refused where there is a CA to tell. */
function objectionTo(
  socket: tls.TLSSocket,
  { caCert, clientAuth }: DownstreamOptions['tls'],
): string | undefined {
  if (socket.alpnProtocol !== 'h2') return 'the client did not offer h2 (ALPN)';
  if (clientAuth !== 'request' || caCert === '' || socket.authorized) return undefined;
  const broughtOne = Object.keys(socket.getPeerCertificate()).length > 0;
  return broughtOne ? `client certificate: ${socket.authorizationError}` : undefined;
}

function refuse(emit: Emit, detail: string): void {
  emit({ kind: 'connection-refused', reason: 'tls-handshake', detail });
}
