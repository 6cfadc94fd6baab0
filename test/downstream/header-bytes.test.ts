import { constants, PerformanceObserver } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { createHeaderBytes } from '../../src/downstream/header-bytes.js';

const MIB = 1024 * 1024;
const LARGE = ['x-large', 'x'.repeat(MIB)];
const SMALL = ['x-small', 'x'.repeat(127)];

describe('bytes of header values that V8 does not know of', () => {
  it('have it collect once per 64 MiB', () => {
    let collected = 0;
    const count = createHeaderBytes(() => {
      collected += 1;
    });
    for (let at = 0; at < 63; at++) count(LARGE);
    expect(collected).toBe(0);
    count(LARGE);
    expect(collected).toBe(1);
    for (let at = 0; at < 128; at++) count(LARGE);
    expect(collected).toBe(3);
  });

  it('are not counted where they are few', () => {
    let collected = 0;
    const count = createHeaderBytes(() => {
      collected += 1;
    });
    for (let at = 0; at < 600_000; at++) count(SMALL);
    expect(collected).toBe(0);
  });

  it('have it collect in earnest', async () => {
    const collected = fullCollection();
    const count = createHeaderBytes();
    const knownBytes = process.memoryUsage().arrayBuffers;
    for (let at = 0; at < 64; at++) count(LARGE);
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
