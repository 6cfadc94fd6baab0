import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { rawPeer } from '../downstream/raw-peer.js';
import { connectBare, descriptorLimit } from '../support/promises-attacked.js';
import { PATHS } from '../support/promises-messages.js';
import { attacked, underAttack } from '../support/promises-under-attack.js';

/** Ten thousand: test/hard/numbers. */
const CONNECTIONS = Number(process.env.CONNECTIONS ?? 2_000);

describe(`${CONNECTIONS} connections`, () => {
  // The silent ones among them answer no ping, and are to live until they are dropped.
  underAttack(['server.ping.interval=10m', 'server.limits.firstFrameTimeout=10m']);

  /** Fewer at a time only where this process, or the gateway's, may not have as many open. */
  const waveSize = Math.min(CONNECTIONS, descriptorLimit() - 1_000);

  it(`opened and dropped at once, ${waveSize} at a time, leave nothing behind`, async () => {
    for (let opened = 0; opened < CONNECTIONS; opened += waveSize) {
      const wave = await openWave(Math.min(waveSize, CONNECTIONS - opened));
      await expect
        .poll(() => attacked().metric('downstream_connections'), { timeout: 60_000 })
        .toBe(wave.length + attacked().others.count);
      for (const socket of wave) socket.resetAndDestroy();
    }
  }, 120_000);
});

/** A third of them silent, a third with HTTP/2, a third in the middle of a call. */
async function openWave(size: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  // No more under way than a listener's backlog holds.
  const atATime = 250;
  while (sockets.length < size) {
    const count = Math.min(atATime, size - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: count }, () => connectBare(attacked().port)))));
  }
  for (const [index, socket] of sockets.entries()) {
    if (index % 3 === 1) socket.write(rawPeer.hello);
    if (index % 3 === 2) {
      socket.write(Buffer.concat([rawPeer.hello, rawPeer.headers(1, { ':path': PATHS.keepAlive })]));
    }
  }
  return sockets;
}
