import { expect, it } from 'vitest';
import { measureFootprint } from '../support/shield-footprint.js';

const MIB = 1024 * 1024;

/** The short form; the figures worth quoting: ./test/run --hard. Here it is only shown that nothing grows with the beats. */
it('nodes and idle connections cost a few ten KiB each, and beats leave nothing behind', async () => {
  const { bytesPerConnection, bytesPerNode, heapBytes, streamsOpened, nodesActive } = await measureFootprint({
    nodes: 200,
    connections: 1_000,
    beats: 10_000,
    beatsPerSecond: 800,
  });
  expect(nodesActive).toBe(200);
  expect(streamsOpened).toBe(200);
  expect(bytesPerConnection).toBeLessThan(64 * 1024);
  expect(bytesPerNode).toBeLessThan(256 * 1024);
  // 190 bytes a message are what a careless channel keeps (protocol), and more than that is not collected yet.
  expect(Math.max(...heapBytes) - Math.min(...heapBytes)).toBeLessThan(32 * MIB);
}, 90_000);
