import { spawn } from 'node:child_process';
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
  const ports = await Promise.all(Array.from({ length: 300 }, () => freePort()));
  expect(new Set(ports).size).toBe(300);
  for (const port of ports.slice(0, 3)) await listen(port);
});

it('gives none that another process has been given, though nobody listens there now', async () => {
  const program = `
    const { freePort } = await import(process.argv[1]);
    const ports = await Promise.all(Array.from({ length: 300 }, () => freePort()));
    process.stdout.write(JSON.stringify(ports));
    setInterval(() => {}, 1_000);`;
  const built = new URL('../../dist/simulator/free-port.js', import.meta.url).href;
  const other = spawn(process.execPath, ['--input-type=module', '-e', program, built], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let said = '';
    for await (const chunk of other.stdout) {
      said += chunk;
      if (said.endsWith(']')) break;
    }
    const theirs = new Set(JSON.parse(said) as number[]);
    const ours = await Promise.all(Array.from({ length: 300 }, () => freePort()));
    expect(ours.filter((port) => theirs.has(port))).toEqual([]);
  } finally {
    other.kill();
    await once(other, 'close');
  }
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
