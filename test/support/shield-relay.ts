import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/**
 * `open`: everything passes. `cut`: connections are reset on both sides, new ones at once. `stalled`: nothing passes and
 * nothing is lost, as when packets are dropped: neither side learns of anything before it is over.
 */
export type LinkState = 'open' | 'cut' | 'stalled';

/** A TCP hop that can be cut, stalled and healed; with several targets it takes them in turn, as a Kubernetes Service does. */
export class ShieldRelay {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #targets: readonly string[];
  #turn = 0;
  #state: LinkState = 'open';
  address = '';
  connectionsEver = 0;

  private constructor(targets: readonly string[]) {
    this.#targets = targets;
    this.#server = createServer({ noDelay: true }, (near) => this.#accept(near));
  }

  /** `targets`: host:port each. */
  static async start(...targets: string[]): Promise<ShieldRelay> {
    const relay = new ShieldRelay(targets);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    relay.address = `127.0.0.1:${(relay.#server.address() as AddressInfo).port}`;
    return relay;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Where new connections go from now on; those that are open stay. None: they are reset. */
  retarget(...targets: string[]): void {
    this.#targets = targets;
  }

  /** Resets what is open; what is dialled again is taken. */
  blink(): void {
    for (const { near, far } of [...this.#pairs]) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  cut(): void {
    this.#state = 'cut';
    this.blink();
  }

  stall(): void {
    this.#state = 'stalled';
    for (const pair of this.#pairs) setFlowing(pair, false);
  }

  heal(): void {
    this.#state = 'open';
    for (const pair of this.#pairs) setFlowing(pair, true);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
    await closed;
  }

  #accept(near: Socket): void {
    near.on('error', () => undefined);
    const target = this.#targets[this.#turn++ % Math.max(1, this.#targets.length)];
    if (this.#state === 'cut' || target === undefined) {
      near.resetAndDestroy();
      return;
    }
    this.connectionsEver++;
    const port = Number(target.slice(target.lastIndexOf(':') + 1));
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    const pair = { near, far };
    this.#pairs.add(pair);
    carry(near, far);
    carry(far, near);
    const gone = (): void => void this.#pairs.delete(pair);
    near.once('close', gone);
    far.once('close', gone);
    if (this.#state === 'stalled') setFlowing(pair, false);
  }
}

function setFlowing({ near, far }: Pair, flowing: boolean): void {
  for (const socket of [near, far]) {
    if (flowing) socket.resume();
    else socket.pause();
  }
}

/** A reset travels as a reset, an end as an end: a killed process and a cut link look different. */
function carry(from: Socket, to: Socket): void {
  let isReset = false;
  from.on('data', (chunk: Buffer) => to.write(chunk));
  from.on('end', () => to.end());
  from.on('error', () => {
    isReset = true;
  });
  from.on('close', () => {
    if (isReset) to.resetAndDestroy();
    else to.destroySoon();
  });
}
