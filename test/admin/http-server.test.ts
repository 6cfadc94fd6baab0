import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpServer, type HttpServer, type Posted, text } from '../../src/admin/http-server.js';

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

describe('a POST', () => {
  const posted: Posted[] = [];
  const errors: unknown[] = [];
  let endpoint: HttpServer | undefined;

  async function start(): Promise<string> {
    posted.length = 0;
    errors.length = 0;
    endpoint = createHttpServer({
      name: 'admin.addr',
      addr: { host: '127.0.0.1', port: 0 },
      routes: new Map([['/healthy', () => text(200, 'healthy\n')]]),
      posts: new Map([
        [
          '/api/do',
          (what) => {
            if (what.body === 'throw') throw new Error('broken');
            posted.push(what);
            return text(200, 'done\n');
          },
        ],
      ]),
      onError: (error) => errors.push(error),
    });
    const { port } = await endpoint.listen();
    return `http://127.0.0.1:${port}/api/do`;
  }

  afterEach(() => endpoint?.stop());

  it('brings its body and its credential', async () => {
    const url = await start();
    const body = JSON.stringify({ hostname: 'schädel' });
    const reply = await fetch(url, { method: 'POST', headers: { authorization: 'Bearer x' }, body });
    expect([reply.status, posted]).toMatchObject([200, [{ authorization: 'Bearer x', body }]]);
    await fetch(url, { method: 'POST' });
    expect(posted[1]).toEqual({ authorization: '', from: '127.0.0.1', body: '' });
  });

  it('of more than 64 KiB is refused, however it is sent, and 64 KiB are taken', async () => {
    const url = await start();
    const large = (sizeBytes: number) => Buffer.alloc(sizeBytes, 'x');
    expect((await fetch(url, { method: 'POST', body: large(65_536) })).status).toBe(200);
    expect((await fetch(url, { method: 'POST', body: large(65_537) })).status).toBe(413);
    const pieces = new ReadableStream({
      start(controller) {
        for (let piece = 0; piece < 64; piece++) controller.enqueue(large(65_536));
        controller.close();
      },
    });
    const chunked = { method: 'POST', body: pieces, duplex: 'half' } as RequestInit;
    expect((await fetch(url, chunked)).status).toBe(413);
    expect(posted).toHaveLength(1);
  });

  it('that ends in the middle does nothing, and is nobody’s error', async () => {
    const url = await start();
    const half = request(url, { method: 'POST', headers: { 'content-length': 100 } });
    const closed = new Promise((resolve) => half.on('close', resolve));
    half.on('error', () => undefined);
    half.write('half');
    await new Promise((resolve) => half.on('socket', (socket) => socket.on('connect', resolve)));
    half.destroy();
    await closed;
    expect((await fetch(url, { method: 'POST', body: 'whole' })).status).toBe(200);
    expect([posted.map(({ body }) => body), errors]).toEqual([['whole'], []]);
  });

  it('whose answer fails is answered 500 and reported', async () => {
    const url = await start();
    expect((await fetch(url, { method: 'POST', body: 'throw' })).status).toBe(500);
    expect(errors).toEqual([new Error('broken')]);
  });
});
