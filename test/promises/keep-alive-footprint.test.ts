import { expect, it } from 'vitest';
import { measureFootprint } from '../support/shield-footprint.js';

const MIB = 1024 * 1024;

/** The short form; the figures worth quoting: ./test/run --hard. Here it is only shown that nothing grows with the beats. */
it('nodes and idle connections cost a few ten KiB each, and beats leave nothing behind', async () => {
  const { bytesPerConnection, heapBytesPerNode, heapBytes, streamsOpened, nodesActive } =
    await measureFootprint({
      nodes: 200,
      connections: 1_000,
      beats: 10_000,
      beatsPerSecond: 1_600,
      // Two seconds apart, so that a busy machine may make them late and none seems silent.
      beatsInARow: 16,
    });
  expect(nodesActive).toBe(200);
  // A busy machine may make the manager look mute for a moment; that most were never replaced shows what was measured.
  expect(streamsOpened).toBeLessThan(220);
  expect(bytesPerConnection).toBeLessThan(64 * 1024);
  // Of so few nodes what runs for the first time is a part: 38 to 67 KiB were measured.
  expect(heapBytesPerNode).toBeLessThan(96 * 1024);
  // 190 bytes a message are what a careless channel keeps (protocol): 1.8 MiB.
  expect((heapBytes.at(-1) ?? 0) - (heapBytes[0] ?? 0)).toBeLessThan(MIB);
}, 90_000);
