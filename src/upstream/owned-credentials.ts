import type { Socket } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js';

type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;
type Connected = Awaited<ReturnType<Connector['connect']>>;

/** Told of every connection that a channel tries. */
export interface ConnectionWatch {
  /** grpc-js is about to dial; it tells nobody when it does so again and again after a failure. */
  attemptStarted(): void;
  /** TCP is up; TLS and HTTP/2 are not. */
  socketOpened(socket: Socket): void;
}

/**
 * Credentials, plaintext or TLS, that let the owner of a channel own its sockets. grpc-js itself never gives up
 * a connection whose peer accepts and then says nothing, closed channel or not; each one would leak.
 */
export class OwnedCredentials extends ChannelCredentials {
  readonly #tls: (() => ConnectionOptions) | undefined;
  readonly #watch: ConnectionWatch;

  /** `tls` is asked for each connection: certificates change. */
  constructor(tls: (() => ConnectionOptions) | undefined, watch: ConnectionWatch) {
    super();
    this.#tls = tls;
    this.#watch = watch;
  }

  override _isSecure(): boolean {
    return this.#tls !== undefined;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(): Connector {
    const callCredentials = CallCredentials.createEmpty();
    return {
      waitForReady: async () => this.#watch.attemptStarted(),
      connect: (socket) => {
        this.#watch.socketOpened(socket);
        return this.#tls ? secure(socket, this.#tls()) : Promise.resolve({ socket, secure: false });
      },
      getCallCredentials: () => callCredentials,
      destroy: () => {},
    };
  }
}

/** Its deadline is the connect timeout of the channel, which destroys the socket. */
function secure(socket: Socket, tls: ConnectionOptions): Promise<Connected> {
  return new Promise((resolve, reject) => {
    const tlsSocket = tlsConnect({ ...tls, socket }, () => resolve({ socket: tlsSocket, secure: true }));
    // Stays for the life of the socket: a late error without a listener would end the process.
    tlsSocket.on('error', (error) => reject(new Error(`TLS: ${error.message}`, { cause: error })));
    tlsSocket.once('close', () => reject(new Error('TLS: the peer closed the connection in the handshake')));
  });
}
