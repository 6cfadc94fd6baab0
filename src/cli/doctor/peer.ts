import http2 from 'node:http2';
import { type Socket, connect as tcpConnect } from 'node:net';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';

/** Connecting, one step at a time, so that the step that fails can be named. Each rejects after `timeoutMs`. */
export function openTcp(host: string, port: number, timeoutMs: number): Promise<Socket> {
  const socket = tcpConnect({ host, port });
  return settle<Socket>(socket, timeoutMs, `no connection within ${timeoutMs} ms`, (done) =>
    socket.once('connect', () => done(socket)),
  );
}

/** The handshake, whatever the certificate: what is wrong with that is the caller's to say. */
export function openTls(socket: Socket, options: ConnectionOptions, timeoutMs: number): Promise<TLSSocket> {
  const secure = tlsConnect({
    ...options,
    socket,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  return settle<TLSSocket>(secure, timeoutMs, `no TLS handshake within ${timeoutMs} ms`, (done) =>
    secure.once('secureConnect', () => done(secure)),
  );
}

/** An HTTP/2 session over `socket`; resolves with the peer's SETTINGS, without which it is no HTTP/2 peer. */
export function openHttp2(
  socket: Socket,
  authority: string,
  timeoutMs: number,
): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(`http://${authority}`, { createConnection: () => socket });
  const silent = `no HTTP/2 SETTINGS within ${timeoutMs} ms`;
  return settle<http2.ClientHttp2Session>(session, timeoutMs, silent, (done) =>
    session.once('remoteSettings', () => done(session)),
  );
}

interface Fallible {
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}

function settle<T>(
  peer: Fallible,
  timeoutMs: number,
  late: string,
  begin: (done: (value: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      peer.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(late)), timeoutMs);
    // Stays: a late error without a listener would end the process.
    peer.on('error', fail);
    peer.once('close', () => fail(new Error('the peer closed the connection')));
    begin((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
