import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';

/** What node:http2 does with the least that makes it a gRPC server: an empty message to every call. */
export interface BareServer {
  readonly port: number;
  stop(): void;
}

const EMPTY_MESSAGE = Buffer.alloc(5);

export async function startBareServer(): Promise<BareServer> {
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('sessionError', () => undefined);
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(EMPTY_MESSAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}
