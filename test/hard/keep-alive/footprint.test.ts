import { expect, it } from 'vitest';
import { measureFootprint } from '../../support/shield-footprint.js';

const NODES = 1_000;
const CONNECTIONS = 10_000;
const BEATS = 1_000_000;
/** Twenty-five times as many as a thousand nodes send. */
const BEATS_PER_SECOND = 5_000;
const MIB = 1024 * 1024;

it(`${NODES} nodes and ${CONNECTIONS} idle connections on one gateway stay as they are over a million beats`, async () => {
  const footprint = await measureFootprint({
    nodes: NODES,
    connections: CONNECTIONS,
    beats: BEATS,
    beatsPerSecond: BEATS_PER_SECOND,
  });
  const mib = (bytes: number): string => (bytes / MIB).toFixed(0);
  process.stdout.write(
    [
      `memory per idle connection: ${(footprint.bytesPerConnection / 1024).toFixed(1)} KiB`,
      `memory per node: ${(footprint.bytesPerNode / 1024).toFixed(1)} KiB, ${(footprint.heapBytesPerNode / 1024).toFixed(1)} KiB of it in use`,
      `CPU per beat: ${footprint.microsecondsPerBeat.toFixed(0)} µs (${BEATS} beats in ${(footprint.lastedMs / 1_000).toFixed(0)} s)`,
      `resident, MiB: ${footprint.residentBytes.map(mib).join(' ')}`,
      `heap in use, MiB: ${footprint.heapBytes.map(mib).join(' ')}`,
      '',
    ].join('\n'),
  );
  expect(footprint.nodesActive).toBe(NODES);
  expect(footprint.bytesPerConnection).toBeLessThan(64 * 1024);
  expect(footprint.bytesPerNode).toBeLessThan(256 * 1024);
  // From the first quarter on; 190 bytes a message are what a careless channel keeps (protocol): 136 MiB.
  const { heapBytes } = footprint;
  expect((heapBytes.at(-1) ?? 0) - (heapBytes[1] ?? 0)).toBeLessThan(4 * MIB);
}, 900_000);
