import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../../src/simulator/free-port.js';

/** A TCP hop in front of a manager whose connections can be frozen one by one: open, and nothing comes through. */
export class TestRelay {
  readonly #server: Server;
  readonly #pairs: { near: Socket; far: Socket }[] = [];
  port = 0;
  connectionsEver = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((near) => {
      this.connectionsEver++;
      const far = connect(targetPort, '127.0.0.1');
      const pair = { near, far };
      this.#pairs.push(pair);
      near.pipe(far);
      far.pipe(near);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        socket.on('error', () => {});
        socket.on('close', () => {
          other.destroy();
          if (this.#pairs.includes(pair)) this.#pairs.splice(this.#pairs.indexOf(pair), 1);
        });
      }
    });
  }

  static async start(targetPort: number): Promise<TestRelay> {
    const relay = new TestRelay(targetPort);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    relay.port = (relay.#server.address() as AddressInfo).port;
    return relay;
  }

  get connections(): number {
    return this.#pairs.length;
  }

  /** The connection opened as number `index` of those still open. */
  freeze(index: number): void {
    const pair = this.#pairs[index];
    if (!pair) throw new Error(`no connection ${index}`);
    pair.near.unpipe(pair.far);
    pair.far.unpipe(pair.near);
    // What comes is thrown away, so that the end of a connection is still seen.
    pair.near.resume();
    pair.far.resume();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
    await closed;
  }
}

/** Takes connections and never says a word on them. */
export class MuteListener {
  readonly #server: Server;
  readonly sockets = new Set<Socket>();
  port = 0;
  connectionsEver = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.connectionsEver++;
      this.sockets.add(socket);
      socket.resume();
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(port?: number): Promise<MuteListener> {
    const listener = new MuteListener();
    listener.port = port ?? (await freePort());
    listener.#server.listen(listener.port, '127.0.0.1');
    await once(listener.#server, 'listening');
    return listener;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}
