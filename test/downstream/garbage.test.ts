import { constants, PerformanceObserver } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { createGarbage } from '../../src/downstream/garbage.js';

const MIB = 1024 * 1024;
const LARGE = ['x-large', 'x'.repeat(MIB)];
const SMALL = ['x-small', 'x'.repeat(127)];

describe('garbage that V8 does not see', () => {
  it('has it collect once per 64 MiB of header values', () => {
    let collected = 0;
    const garbage = createGarbage(() => {
      collected += 1;
    });
    for (let at = 0; at < 63; at++) garbage.headers(LARGE);
    expect(collected).toBe(0);
    garbage.headers(LARGE);
    expect(collected).toBe(1);
    for (let at = 0; at < 128; at++) garbage.headers(LARGE);
    expect(collected).toBe(3);
  });

  it('has it collect once per 4,096 streams that came to nothing', () => {
    let collected = 0;
    const garbage = createGarbage(() => {
      collected += 1;
    });
    for (let at = 0; at < 7; at++) garbage.streams(1_024);
    expect(collected).toBe(1);
    garbage.streams(1_024);
    expect(collected).toBe(2);
  });

  it('is not counted where values are short', () => {
    let collected = 0;
    const garbage = createGarbage(() => {
      collected += 1;
    });
    for (let at = 0; at < 600_000; at++) garbage.headers(SMALL);
    expect(collected).toBe(0);
  });

  it('has it collect in earnest', async () => {
    const collected = fullCollection();
    const garbage = createGarbage();
    const knownBytes = process.memoryUsage().arrayBuffers;
    for (let at = 0; at < 64; at++) garbage.headers(LARGE);
    // It is told of 64 MiB more at once, and of more it lets none pass.
    expect(process.memoryUsage().arrayBuffers - knownBytes).toBeGreaterThan(64 * MIB);
    await collected;
  });
});

function fullCollection(): Promise<void> {
  return new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => {
      const kinds = list
        .getEntries()
        .map((entry) => (entry as unknown as { readonly detail: { readonly kind: number } }).detail.kind);
      if (!kinds.includes(constants.NODE_PERFORMANCE_GC_MAJOR)) return;
      observer.disconnect();
      resolve();
    });
    observer.observe({ entryTypes: ['gc'] });
  });
}
