import { describe, expect, it } from 'vitest';
import { createHits } from '../../src/cache/hits.js';
import { createMemoryStore } from '../../src/cache/memory.js';
import { createVoids } from '../../src/cache/voids.js';
import { defaultConfig } from '../../src/config/defaults.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import type { Read } from '../../src/rpc/read.js';
import { ManualClock } from '../support/manual-clock.js';
import { entryOf } from './snapshot/entries.js';

function startHits(fits: boolean) {
  const clock = new ManualClock();
  const store = createMemoryStore({ maxBytes: 1_000_000 });
  const entry = entryOf('daemon-1', clock.nowMs());
  store.set(entry);
  const noted: Read[] = [];
  const hits = createHits({
    store,
    voids: createVoids(),
    limits: defaultConfig().cache,
    isFact: () => true,
    fits: () => fits,
    sharing: { hit: ({ question }, recall) => recall(question) },
    note: (read) => noted.push(read),
    clock,
  });
  const read: Read = {
    question: entry.question,
    metadata: NO_METADATA,
    message: Buffer.alloc(0),
    deadlineMs: undefined,
    signal: undefined,
    attempts: 'several',
  };
  return { answer: hits(read), uses: store.uses(entry.question.key), noted };
}

describe('a hit', () => {
  it('is one use of what memory has, and a question that somebody wants answered', () => {
    const { answer, uses, noted } = startHits(true);
    expect([answer?.source, uses, noted.length]).toEqual(['hit', 1, 1]);
  });

  it('that cannot be given at once is neither, because it will be asked for again', () => {
    const { answer, uses, noted } = startHits(false);
    expect([answer, uses, noted.length]).toEqual([undefined, 0, 0]);
  });
});
