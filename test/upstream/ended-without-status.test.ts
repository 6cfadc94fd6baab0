import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Client, credentials, Metadata, type StatusObject } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { explainStatus } from '../../src/upstream/local-status.js';

const identity = (bytes: Buffer): Buffer => bytes;

it('a call whose stream ends without a status, as with its connection behind a GOAWAY, is UNAVAILABLE, so that it is tried again', async () => {
  const server = http2.createServer();
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { endStream: false });
    stream.close(http2.constants.NGHTTP2_NO_ERROR);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = client.makeBidiStreamRequest('/a/b', identity, identity, new Metadata(), {});
  call.on('error', () => undefined);
  call.on('data', () => undefined);
  const status = await new Promise<StatusObject>((resolve) => call.on('status', resolve));
  client.close();
  server.close();
  expect(explainStatus(status, 'm', false)).toEqual({
    code: 14,
    message: 'manager-gateway: manager m: the connection was lost before it answered',
  });
});
