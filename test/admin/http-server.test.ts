import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { expect, it } from 'vitest';
import { createHttpServer, text } from '../../src/admin/http-server.js';

it('an http endpoint outlives a lack of file descriptors, and reports it', async () => {
  const errors: unknown[] = [];
  const endpoint = createHttpServer({
    name: 'metrics.addr',
    addr: { host: '127.0.0.1', port: 0 },
    routes: new Map([['/healthy', () => text(200, 'healthy\n')]]),
    onError: (error) => errors.push(error),
  });
  const { port } = await endpoint.listen();
  let server: Server | undefined;
  const take = (message: unknown): void => {
    server = (message as { server: Server }).server;
  };
  subscribe('http.server.request.start', take);
  await (await fetch(`http://127.0.0.1:${port}/healthy`)).text();
  unsubscribe('http.server.request.start', take);
  // As node:net tells of accept(): an 'error' that nobody hears is thrown.
  const failure = new Error('accept EMFILE');
  for (let time = 0; time < 3; time++) server?.emit('error', failure);
  expect(errors).toEqual([failure, failure, failure]);
  expect((await fetch(`http://127.0.0.1:${port}/healthy`)).status).toBe(200);
  await endpoint.stop();
});
