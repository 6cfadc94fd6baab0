import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below where Linux takes the ports of outgoing connections from: each of those keeps its port from listeners, for a minute after
 * its end, too. So are the ports of Redis' cluster buses (10,000 more).
 */
const FIRST = 12_000;
const LAST = 22_000;

const given = new Set<number>();

/**
 * A port of `host` on which nobody listens, which is given to nobody else as long as this process lives, in others neither: it is free when
 * who listened there is started again.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  if (given.size > (LAST - FIRST) / 2) given.clear();
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port)) continue;
    // Before it is tried: another one may be asked for meanwhile.
    given.add(port);
    const server = createServer();
    server.listen(port, host);
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      continue;
    }
    server.close();
    await once(server, 'close');
    if (await isOurs(port)) return port;
  }
}

/** Linux's abstract sockets are held by one process, leave no file, and go with it. */
async function isOurs(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const mark = createServer().listen(`\0dragonfly-manager-gateway port ${port}`);
  try {
    await once(mark, 'listening');
  } catch {
    return false;
  }
  mark.unref();
  return true;
}
