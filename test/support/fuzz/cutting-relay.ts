import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';

/** Between a caller and a gateway: what the caller sends arrives in two parts. */
export interface CuttingRelay {
  readonly address: string;
  /** Of each connection from now on, the bytes after which the second part begins. */
  cutAfter(bytes: number): void;
  /** What the last connection has sent so far. */
  readonly sentBytes: number;
  stop(): Promise<void>;
}

/** Between the parts, so that they are read as two. Nothing depends on it but what is tried. */
const PAUSE_MS = 1;

export async function startCuttingRelay(target: string): Promise<CuttingRelay> {
  const port = Number(target.slice(target.lastIndexOf(':') + 1));
  const sockets = new Set<Socket>();
  let cut = Number.POSITIVE_INFINITY;
  let sentBytes = 0;
  const server = createServer({ noDelay: true }, (from) => {
    const to = dial({ port, host: '127.0.0.1', noDelay: true });
    let turn = Promise.resolve();
    sentBytes = 0;
    from.on('data', (chunk: Buffer) => {
      const at = cut - sentBytes;
      sentBytes += chunk.length;
      const parts = at > 0 && at < chunk.length ? [chunk.subarray(0, at), chunk.subarray(at)] : [chunk];
      for (const part of parts) turn = turn.then(() => sent(to, part));
    });
    to.on('data', (chunk) => from.write(chunk));
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutAfter(bytes) {
      cut = bytes;
    },
    get sentBytes() {
      return sentBytes;
    },
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function sent(to: Socket, part: Buffer): Promise<void> {
  if (to.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    to.write(part, () => setTimeout(resolve, PAUSE_MS));
    to.once('close', () => resolve());
  });
}
