import { expect, it } from 'vitest';
import { readAskedRows } from '../../src/cache/redis/asked-replies.js';
import { createEnvelope, ENVELOPE_SCHEMAS, type EnvelopeSchema } from '../../src/cache/redis/envelope.js';
import { readNews } from '../../src/cache/redis/news.js';
import { readLookedUp, readPulse } from '../../src/cache/redis/replies.js';
import { decodeSnapshot, encodeSnapshot } from '../../src/cache/snapshot/format.js';
import { decodeStoredEntry, encodeStoredEntry } from '../../src/cache/stored-entry.js';
import { exampleYaml } from '../../src/config/example.js';
import { frameRecord, readRecords } from '../../src/durable/records.js';
import { readLook, readTaken, readYielded } from '../../src/keepalive/claims/replies.js';
import { decodeNodes, encodeNodes } from '../../src/keepalive/nodes-format.js';
import { decodeNodeRecord, encodeNodeRecord } from '../../src/keepalive/stored-record.js';
import { createBook } from '../../src/registrations/book.js';
import {
  decodeJournalRecord,
  encodeJournalRecord,
  type JournalRecord,
} from '../../src/registrations/record.js';
import { readAudited, readFound, readListed } from '../../src/registrations/shared/replies.js';
import { entryOf } from '../cache/snapshot/entries.js';
import { refusals } from '../config/refusals.js';
import { mutatedText } from '../support/fuzz/mutations.js';
import { type Draw, rounds } from '../support/fuzz/rounds.js';

const NOW = { wallMs: Date.UTC(2026, 0, 1), nowMs: 3_600_000 };
const BOOT = { bootId: 'b', sinceBootMs: 100 };
const ABOUT = { fleetId: 'f', graceMs: 30_000, maxStaleMs: 72 * 3_600_000, now: NOW, boot: BOOT };
const [SCHEMA] = ENVELOPE_SCHEMAS as [EnvelopeSchema];
const ENTRIES = ['a', 'b', 'c'].map((name) => entryOf(name, NOW.nowMs - 60_000));

const NODE = {
  node: { kind: 'scheduler', source: 'SCHEDULER_SOURCE', clusterId: '1', hostname: 'h', ip: '127.0.0.1' },
  path: '/manager.v2.Manager/KeepAlive',
  first: Buffer.from('first'),
  intervalMs: 5_000,
} as const;
const REGISTRATION = {
  node: { kind: 'seed-peer', source: 'SUPER_SEED', clusterId: '1', hostname: 'h' },
  path: '/manager.v2.Manager/UpdateSeedPeer',
  ip: '127.0.0.1',
  port: 1,
  request: Buffer.from('request'),
} as const;
const RECORDS: readonly JournalRecord[] = [
  { kind: 'pending', registration: REGISTRATION, acknowledgedAtWallMs: 5 },
  { kind: 'settled', node: REGISTRATION.node },
  { kind: 'deleted', deletion: { clusterId: '1', hostname: 'h', ip: '' } },
];
const bodies = {
  entries: ENTRIES.map((entry) => encodeStoredEntry(entry, NOW)),
  journal: RECORDS.map(encodeJournalRecord),
  nodes: [encodeNodeRecord(NODE) as Buffer],
};
const snapshot = Buffer.concat([
  ...encodeSnapshot({
    fleetId: 'f',
    entries: ENTRIES,
    isVoid: () => false,
    maxBytes: 1 << 20,
    now: NOW,
    boot: BOOT,
  }),
]);
const journal = Buffer.concat(bodies.journal.map(frameRecord));
const nodes = Buffer.concat([
  ...encodeNodes(
    [{ record: NODE, lastBeatAtMs: NOW.nowMs }],
    { fleetId: 'f', replica: 'r' },
    { ...NOW, boot: BOOT },
  ),
]);
const envelope = createEnvelope({ secret: '', fleetId: 'f' });
const sealed = envelope.seal('name', ENTRIES[0] as never, { earliestUs: 1, latestUs: 2 }, NOW);
const FILES = [snapshot, journal, nodes, sealed];

/** A sound frame round what is not: what a check finds is found elsewhere. */
const reframed = (draw: Draw, all: readonly Buffer[]): Buffer =>
  frameRecord(mutatedText(draw, draw.oneOf(all), FILES));

/** Of each file its records, and where they lie in it. */
const RECORDS_OF = new Map(FILES.map((file) => [file, recordsOf(file)]));
const WRITTEN = {
  payloads: new Set([...RECORDS_OF.values()].flat().map(({ payload }) => payload)),
  entries: new Map(
    decodeSnapshot(snapshot, ABOUT).entries.map((entry) => [entry.question.key, JSON.stringify(entry)]),
  ),
  journal: new Set(RECORDS.map((record) => JSON.stringify(record))),
  nodes: new Set(restoredNodes(nodes).map((record) => JSON.stringify(record))),
};

function recordsOf(file: Buffer): { readonly payload: string; readonly from: number; readonly to: number }[] {
  let at = 0;
  return readRecords(file).payloads.map((payload) => {
    const from = at;
    at += frameRecord(payload).length;
    return { payload: payload.toString('hex'), from, to: at };
  });
}

function restoredNodes(bytes: Buffer): readonly unknown[] {
  return decodeNodes(bytes, ABOUT, { ...NOW, boot: BOOT }).records;
}

/** The records before, and those behind, of which nothing has been touched. */
function untouched(file: Buffer, bytes: Buffer): { readonly before: string[]; readonly behind: string[] } {
  const most = Math.min(file.length, bytes.length);
  let first = 0;
  while (first < most && file[first] === bytes[first]) first++;
  let last = 0;
  while (last < most - first && file.at(-1 - last) === bytes.at(-1 - last)) last++;
  const records = RECORDS_OF.get(file) ?? [];
  return {
    before: records.filter(({ to }) => to <= first).map(({ payload }) => payload),
    behind: records.filter(({ from }) => from >= file.length - last).map(({ payload }) => payload),
  };
}

/** Nobody wrote it, or nobody wrote it there. */
function expectWritten(written: { has(one: string): boolean }, found: string): void {
  if (!written.has(found)) expect(found).toBe('something that was written');
}

const files = rounds('mutated files and entries', 1_500, 0.2);

it(`${files.count} mutated files and entries of Redis are read as far as they are sound, and nothing that nobody wrote is`, async () => {
  const seen = { kept: 0, lost: 0 };
  await files.each((draw) => {
    const file = draw.oneOf(FILES);
    const bytes = mutatedText(draw, file, FILES);
    const { payloads, damagedBytes } = readRecords(bytes);
    const found = payloads.map((payload) => payload.toString('hex'));
    for (const payload of found) expectWritten(WRITTEN.payloads, payload);
    const { before, behind } = untouched(file, bytes);
    expect(found.slice(0, before.length)).toEqual(before);
    if (behind.length > 0) expect(found.slice(-behind.length)).toEqual(behind);
    expect(damagedBytes).toBe(
      payloads.reduce((rest, payload) => rest - frameRecord(payload).length, bytes.length),
    );
    seen.kept += before.length + behind.length;
    seen.lost += Number(damagedBytes > 0);
    for (const entry of decodeSnapshot(bytes, ABOUT).entries)
      expect(JSON.stringify(entry)).toBe(WRITTEN.entries.get(entry.question.key));
    for (const record of restoredNodes(bytes)) expectWritten(WRITTEN.nodes, JSON.stringify(record));
    const opened = envelope.open('name', SCHEMA, bytes, NOW);
    if (opened.kind === 'entry') expect(bytes.equals(sealed)).toBe(true);
    const book = createBook();
    for (const payload of payloads) {
      const record = decodeJournalRecord(payload);
      if (record !== undefined) book.apply(record);
    }
    for (const record of book.records()) expectWritten(WRITTEN.journal, JSON.stringify(record));
  });
  if (files.count < 1_000) return;
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(files.count / 10);
});

const sound = rounds('sound records with mutated content', 1_500, 0.2);

it(`${sound.count} records with sound checks and mutated content are taken for what they say, or not at all`, async () => {
  await sound.each((draw) => {
    const [entry, line, node] = [
      mutatedText(draw, draw.oneOf(bodies.entries), bodies.entries),
      mutatedText(draw, draw.oneOf(bodies.journal), bodies.journal),
      mutatedText(draw, draw.oneOf(bodies.nodes), bodies.nodes),
    ];
    const decoded = decodeStoredEntry(entry, 'f', NOW);
    if (decoded.kind === 'entry') {
      expect(decoded.entry.askedAtMs).toBeLessThanOrEqual(NOW.nowMs);
      expect(decoded.entry.question.secret).toBe(false);
    }
    const record = decodeJournalRecord(line);
    if (record !== undefined) expect(decodeJournalRecord(encodeJournalRecord(record))).toEqual(record);
    const kept = decodeNodeRecord(node);
    if (kept !== undefined) expect(decodeNodeRecord(encodeNodeRecord(kept.record) as Buffer)).toEqual(kept);
    decodeSnapshot(Buffer.concat([snapshot, reframed(draw, bodies.entries)]), ABOUT);
    decodeNodes(Buffer.concat([nodes, reframed(draw, bodies.nodes)]), ABOUT, { ...NOW, boot: BOOT });
  });
});

/** What Redis may answer to a script, or who stands in its place. */
function replyOf(draw: Draw, depth = 0): unknown {
  const kind = draw.below(depth > 3 ? 6 : 9);
  if (kind === 0) return null;
  if (kind === 1) return draw.below(1_000);
  if (kind === 2)
    return Buffer.from(
      draw.oneOf(['none', 'value', 'too-large', 'other-type', 'mine', 'held', 'taken', 'given']),
    );
  if (kind === 3) return Buffer.from(String(draw.oneOf([0, 1, -1, 2 ** 53, 1.5, 1_760_000_000_000_000])));
  if (kind === 4) return draw.bytes(draw.below(20));
  if (kind === 5) return Buffer.alloc(0);
  return Array.from({ length: draw.below(6) }, () => replyOf(draw, depth + 1));
}

const replies = rounds('replies of Redis', 3_000, 0.2);

it(`${replies.count} replies of a Redis that says anything are read, or refused as no reply of a script`, async () => {
  const readers: readonly ((reply: unknown) => unknown)[] = [
    (reply) => readLookedUp(reply, 1, 2),
    readPulse,
    (reply) => readAskedRows(reply, 1_000),
    readTaken,
    readYielded,
    (reply) => readLook(reply, ['a', 'b']),
    readFound,
    readListed,
    (reply) => readAudited(reply, 2),
  ];
  await replies.each((draw) => {
    const reply = replyOf(draw);
    for (const reader of readers) {
      try {
        reader(reply);
      } catch (error) {
        expect((error as Error).message).toMatch(/^unexpected reply/);
      }
    }
    readNews(draw.bytes(draw.below(60)).toString('latin1'), 'r');
  });
});

const example = Buffer.from(exampleYaml());
const configs = rounds('mutated configurations', 100, 0.005);

it(`${configs.count} mutated configurations are taken, or refused in one line each that says where`, async () => {
  await configs.each((draw) => {
    const text = mutatedText(draw, example, [example]).toString('utf8');
    for (const line of refusals(text)) expect(line).toMatch(/: found .*; allowed: /);
  });
});
