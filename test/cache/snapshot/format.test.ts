import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../src/cache/entry.js';
import {
  decodeSnapshot,
  encodeSnapshot,
  type RestoreOptions,
  type SnapshotContent,
} from '../../../src/cache/snapshot/format.js';
import { entryOf } from './entries.js';

const HOUR = 3_600_000;
/** A thousand: test/hard/numbers. */
const FLIPS = Number(process.env.FLIPS ?? 200);
const WALL = Date.UTC(2026, 0, 1);
const NOW = 5 * HOUR;
const BOOT = { bootId: 'b', sinceBootMs: 100 * HOUR };
const entries = Array.from({ length: 12 }, (_, n) => entryOf(`sched-${n}`, NOW - n * 60_000));

function written(over: Partial<SnapshotContent> = {}): Buffer {
  const content = { fleetId: 'f', entries, isVoid: () => false, maxBytes: 1 << 20, boot: BOOT };
  return Buffer.concat([...encodeSnapshot({ ...content, now: { wallMs: WALL, nowMs: NOW }, ...over })]);
}

/** In a new process, whose monotonic clock begins anew, `afterMs` later by the wall clock and the machine's own. */
function later(afterMs: number, over: Partial<RestoreOptions> = {}): RestoreOptions {
  return {
    fleetId: 'f',
    maxStaleMs: 72 * HOUR,
    now: { wallMs: WALL + afterMs, nowMs: 50 },
    boot: { bootId: 'b', sinceBootMs: BOOT.sinceBootMs + afterMs },
    ...over,
  };
}

const ages = (restored: readonly Entry[], nowMs = 50): number[] =>
  restored.map(({ askedAtMs }) => nowMs - askedAtMs);

describe('a snapshot', () => {
  it('brings back every entry as it was, older by the time that passed', () => {
    const { entries: restored, damagedBytes, ignored } = decodeSnapshot(written(), later(30_000));
    expect([damagedBytes, ignored]).toEqual([0, 0]);
    expect(restored.map(({ question, reply, manager }) => ({ question, reply, manager }))).toEqual(
      entries.map(({ question, reply, manager }) => ({ question, reply, manager })),
    );
    expect(ages(restored)).toEqual(entries.map((_, n) => n * 60_000 + 30_000));
    expect(restored.map((entry) => entry.checkedAtMs)).toEqual(restored.map((entry) => entry.askedAtMs));
  });

  it('cut at any byte gives what is before the cut, and nothing else', () => {
    const few = entries.slice(0, 4);
    const bytes = written({ entries: few });
    let most = 0;
    for (let length = 0; length < bytes.length; length++) {
      const { entries: restored } = decodeSnapshot(bytes.subarray(0, length), later(0));
      expect(restored.map(same)).toEqual(few.slice(0, restored.length).map(same));
      expect(restored.length).toBeGreaterThanOrEqual(most);
      most = restored.length;
    }
    expect(most).toBe(few.length);
  });

  it('with any bit flipped gives all the others, each as it was', () => {
    const bytes = written();
    const wanted = new Map(entries.map((entry) => [entry.question.key, same(entry)]));
    let seed = 7;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    let lost = 0;
    for (let time = 0; time < FLIPS; time++) {
      const flipped = Buffer.from(bytes);
      const at = random(bytes.length);
      flipped.writeUInt8((flipped[at] ?? 0) ^ (1 << random(8)), at);
      const { entries: restored } = decodeSnapshot(flipped, later(0));
      expect(restored.length).toBeGreaterThanOrEqual(entries.length - 1);
      for (const entry of restored) expect(same(entry)).toEqual(wanted.get(entry.question.key));
      lost += entries.length - restored.length;
    }
    expect(lost).toBeGreaterThan(FLIPS / 2);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(10_000)],
    ['marks', Buffer.from('DFr1'.repeat(2_000))],
    ['text', Buffer.from('{"schema":1}')],
  ])('that is %s is empty', (_, bytes) => {
    expect(decodeSnapshot(bytes, later(0)).entries).toEqual([]);
  });

  it('of another fleet is not read', () => {
    const { entries: restored, ignored } = decodeSnapshot(written({ fleetId: 'g' }), later(0));
    expect([restored.length, ignored]).toEqual([0, entries.length]);
  });

  it('holds no secret, and no more than its bound, the most used first', () => {
    const [first] = entries as [Entry];
    const secret = { ...first, question: { ...first.question, secret: true } };
    expect(decodeSnapshot(written({ entries: [secret] }), later(0)).entries).toEqual([]);
    const half = written({ maxBytes: written().length / 2 });
    expect(half.length).toBeLessThanOrEqual(written().length / 2);
    const { entries: restored } = decodeSnapshot(half, later(0));
    expect(restored.length).toBeGreaterThan(2);
    expect(restored.map(same)).toEqual(entries.slice(0, restored.length).map(same));
  });

  it('keeps in mind which entries a write has expired', () => {
    const { entries: restored } = decodeSnapshot(written({ isVoid: (e) => e === entries[1] }), later(0));
    expect(restored.map(({ checkedAtMs }) => Number.isFinite(checkedAtMs)).indexOf(false)).toBe(1);
    expect(restored).toHaveLength(entries.length);
  });
});

describe('ages over a restart', () => {
  const YEAR = 365 * 24 * HOUR;

  it.each([
    ['forward', YEAR],
    ['back', -YEAR],
  ])('a wall clock set %s changes none while the machine runs on', (_, jumpMs) => {
    const options = later(30_000);
    const now = { ...options.now, wallMs: options.now.wallMs + jumpMs };
    expect(ages(decodeSnapshot(written(), { ...options, now }).entries)).toEqual(
      ages(decodeSnapshot(written(), options).entries),
    );
  });

  it('are those of the wall clock after a reboot', () => {
    const options = later(HOUR, { boot: { bootId: 'another', sinceBootMs: 5 } });
    expect(ages(decodeSnapshot(written(), options).entries)[0]).toBe(HOUR);
    const behind = later(-HOUR, { boot: undefined });
    expect(ages(decodeSnapshot(written(), behind).entries)[0]).toBe(0);
  });

  it('a wall clock far ahead after a reboot expires nothing, but has everything asked for first', () => {
    const { entries: restored } = decodeSnapshot(written(), later(YEAR, { boot: undefined }));
    expect(restored).toHaveLength(entries.length);
    for (const entry of restored) {
      expect(50 - entry.askedAtMs).toBeGreaterThanOrEqual(36 * HOUR);
      expect(50 - entry.askedAtMs).toBeLessThan(72 * HOUR);
      expect(entry.checkedAtMs).toBe(Number.NEGATIVE_INFINITY);
    }
  });

  it('what is older than maxStale beyond doubt is no answer any more', () => {
    expect(decodeSnapshot(written(), later(71 * HOUR)).entries).toHaveLength(entries.length);
    expect(decodeSnapshot(written(), later(73 * HOUR)).entries).toEqual([]);
  });
});

function same({ question, reply }: Entry): unknown {
  return { question, reply };
}
