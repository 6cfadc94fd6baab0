import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below where Linux takes the ports of outgoing connections from: none of those is in the way of who comes back to it. So are the
 * ports of cluster buses (10,000 more).
 */
const FIRST = 12_000;
const LAST = 22_000;

/** Free now, and likely to be free when its process is started again. */
export async function restartablePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    const server = createServer();
    server.listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      // Taken.
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
