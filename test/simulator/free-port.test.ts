import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { freePort } from '../../src/simulator/free-port.js';

const servers: Server[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function listen(port: number): Promise<Server> {
  const server = createServer((socket) => socket.resume()).listen(port, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return server;
}

it('gives each port once, and one that can be listened on', async () => {
  const ports = await Promise.all(Array.from({ length: 1_000 }, () => freePort()));
  expect(new Set(ports).size).toBe(1_000);
  for (const port of ports.slice(0, 3)) await listen(port);
});

it('gives none that an outgoing connection may get, which would keep it from its listener for a minute', async () => {
  const port = await freePort();
  await listen(port);
  const local: number[] = [];
  for (let index = 0; index < 50; index++) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    local.push(socket.localPort ?? 0);
    socket.end();
    await once(socket, 'close');
  }
  await expect(listen(local[0] ?? 0)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(Math.min(...local)).toBeGreaterThan(22_000);
});
