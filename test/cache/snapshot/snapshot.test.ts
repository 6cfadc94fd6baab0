import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore, type MemoryStore } from '../../../src/cache/memory.js';
import { createSnapshot, type Snapshot, snapshotFile } from '../../../src/cache/snapshot/snapshot.js';
import { createVoids } from '../../../src/cache/voids.js';
import type { BootClock } from '../../../src/durable/boot-clock.js';
import type { GatewayEvent } from '../../../src/observe/events.js';
import { heldDirectory } from '../../support/held-directory.js';
import { ManualClock } from '../../support/manual-clock.js';
import { entryOf } from './entries.js';

let dir: string;
let events: GatewayEvent[];
let heard: (() => void)[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dfmgw-snapshot-'));
  events = [];
  heard = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Process {
  readonly snapshot: Snapshot;
  readonly store: MemoryStore;
  readonly clock: ManualClock;
}

interface Over {
  readonly dir?: string;
  readonly fleetId?: string;
  readonly bootClock?: (clock: ManualClock) => BootClock;
}

function process(over: Over = {}): Process {
  const clock = new ManualClock();
  const store = createMemoryStore({ maxBytes: 1 << 20 });
  const snapshot = createSnapshot({
    directory: heldDirectory(over.dir ?? dir),
    limits: { intervalMs: 10_000, maxBytes: 1 << 20, maxStaleMs: 3_600_000 },
    fleetId: over.fleetId ?? 'f',
    store,
    voids: createVoids(),
    clock,
    bootClock: over.bootClock?.(clock) ?? (() => undefined),
    emit: (event) => {
      events.push(event);
      for (const hear of heard.splice(0)) hear();
    },
  });
  return { snapshot, store, clock };
}

const kinds = (): string[] => events.map(({ kind }) => kind);
const nextEvent = (): Promise<void> => new Promise((resolve) => heard.push(resolve));

describe('what is in memory', () => {
  it('is written every interval when something has changed, and at the stop, and found again', async () => {
    const first = process();
    await first.snapshot.load();
    first.snapshot.start();
    first.store.set(entryOf('a', 900));
    const written = nextEvent();
    first.clock.advance(10_000);
    await written;
    const before = statSync(snapshotFile(dir, 'f')).ino;
    // The next timer is set once the writing is over; nothing changes until it fires.
    while (first.clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    first.clock.advance(10_000);
    first.store.set(entryOf('b', 20_900));
    first.store.get(entryOf('a', 0).question.key);
    await first.snapshot.stop();
    expect(kinds()).toEqual(['snapshot-written', 'snapshot-written']);
    expect(statSync(snapshotFile(dir, 'f')).ino).not.toBe(before);
    expect(readdirSync(dir)).toHaveLength(1);
    expect(statSync(snapshotFile(dir, 'f')).mode & 0o777).toBe(0o600);

    const second = process();
    await second.snapshot.load();
    expect(events.at(-1)).toMatchObject({ kind: 'snapshot-loaded', entries: 2, damagedBytes: 0, ignored: 0 });
    // The most recently used is so again.
    expect([...second.store.entries()].map(({ reply }) => reply.message?.toString())).toEqual([
      'answer of a',
      'answer of b',
    ]);
    await second.snapshot.stop();
    expect(events.at(-1)?.kind).toBe('snapshot-loaded');
  });

  it('replaces nothing newer that is in memory already', async () => {
    const first = process();
    first.store.set(entryOf('a', 900));
    await first.snapshot.stop();
    const second = process();
    const newer = entryOf('a', 1_000);
    second.store.set(newer);
    await second.snapshot.load();
    expect(second.store.get(newer.question.key)).toBe(newer);
  });

  it('is no younger after a restart than it is, however long it took to ask the machine for its time', async () => {
    const machine = { bootId: 'one', sinceBootMs: 500_000 };
    const slow = (tookMs: number) => (clock: ManualClock) => () => {
      machine.sinceBootMs += tookMs;
      clock.advance(tookMs);
      return { ...machine };
    };
    const first = process({ bootClock: slow(60) });
    first.store.set(entryOf('a', 900));
    await first.snapshot.stop();
    const ageMs = first.clock.nowMs() - 900;
    const second = process({ bootClock: slow(7) });
    await second.snapshot.load();
    const [entry] = second.store.entries();
    expect(second.clock.nowMs() - Number(entry?.askedAtMs)).toBeGreaterThanOrEqual(ageMs + 7);
  });

  it('lies apart from that of another fleet, and of a newer version', async () => {
    const newer = snapshotFile(dir, 'f').replace(/v1$/, 'v2');
    writeFileSync(newer, 'of a newer gateway');
    const f = process();
    const g = process({ fleetId: 'g' });
    await f.snapshot.load();
    f.store.set(entryOf('a', 900));
    await f.snapshot.stop();
    await g.snapshot.load();
    expect(g.store.count).toBe(0);
    expect(readFileSync(newer, 'utf8')).toBe('of a newer gateway');
  });

  it('starts empty from a file that is none, which is kept aside', async () => {
    writeFileSync(snapshotFile(dir, 'f'), 'no snapshot');
    const { snapshot, store } = process();
    await snapshot.load();
    expect(store.count).toBe(0);
    expect(events).toEqual([
      { kind: 'snapshot-loaded', entries: 0, damagedBytes: 11, ignored: 0, newestAgeMs: undefined },
    ]);
    store.set(entryOf('a', 900));
    await snapshot.stop();
    expect(readFileSync(`${snapshotFile(dir, 'f')}.unused`, 'utf8')).toBe('no snapshot');
  });

  it('stays in memory alone where the directory cannot be written, which is told once', async () => {
    const file = join(dir, 'file');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    const { snapshot, store } = process({ dir: join(file, 'below') });
    await snapshot.load();
    store.set(entryOf('a', 900));
    await snapshot.stop();
    expect(kinds().filter((kind) => kind === 'directory-unusable')).toHaveLength(1);
    expect(kinds()).toContain('snapshot-failed');
  });

  it('is not kept where the directory is empty text', async () => {
    const { snapshot, store } = process({ dir: '' });
    await snapshot.load();
    snapshot.start();
    store.set(entryOf('a', 900));
    await snapshot.stop();
    expect(events).toEqual([]);
  });
});
