import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { startGateway } from '../support/running-gateway.js';

it('a gateway with redis.addrs connects when it starts', async () => {
  const redis = createServer((socket) => socket.on('error', () => undefined).destroy());
  redis.listen(0, '127.0.0.1');
  await once(redis, 'listening');
  const connected = once(redis, 'connection');
  const { port } = redis.address() as AddressInfo;
  const { gateway } = await startGateway({
    managers: ['127.0.0.1:1'],
    sets: ['fleet.id=f1', `redis.addrs=["127.0.0.1:${port}"]`],
  });
  await connected;
  await gateway.stop();
  redis.close();
  expect(redis.listening).toBe(false);
});
