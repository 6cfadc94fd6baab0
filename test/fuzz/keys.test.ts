import { expect, it } from 'vitest';
import { createClassifier } from '../../src/route/classify.js';
import { METHOD_TABLE } from '../../src/route/method-table.js';
import { decodeRequest, requestFieldNumbers } from '../../src/route/proto.js';
import type { SchemaField } from '../route/proto-schema.js';
import { fieldsAt, type Meaning, meaningOf } from '../support/fuzz/meaning.js';
import { varint } from '../support/fuzz/mutations.js';
import { type Draw, rounds } from '../support/fuzz/rounds.js';

/** What decides the answer (measured, see src/route/method-table.ts); nothing else is part of the question. */
const DECIDES: Readonly<Record<string, RegExp>> = {
  'v1 ListSchedulers': /^(source_type|hostname|ip|host_info\..*)$/,
  'v2 ListSchedulers': /^(source_type|hostname|ip|idc|location|scheduler_cluster_id)$/,
  GetScheduler: /^(scheduler_cluster_id|hostname)$/,
  GetSeedPeer: /^(seed_peer_cluster_id|hostname)$/,
  ListSeedPeers: /^(hostname|ip)$/,
};
const NOTHING = /^(?!)/;

const READS = [...METHOD_TABLE].flatMap(([path, route]) =>
  route.kind === 'read'
    ? [{ path, decides: DECIDES[`${route.version} ${route.method}`] ?? DECIDES[route.method] ?? NOTHING }]
    : [],
);
/** Few, so that two requests are often the same; those that readers stumble over among them. */
const TEXTS = [
  '',
  'a',
  'b',
  'ab',
  'A',
  '\0',
  '__proto__',
  'constructor',
  '"',
  ',',
  '["',
  '0',
  'ü',
  '\u{10ffff}',
];
const BYTES = [
  ...TEXTS.map((text) => Buffer.from(text)),
  Buffer.from('\u{fffd}'),
  Buffer.from([0xff]),
  Buffer.from([0xed, 0xa0, 0x80]),
];
const NUMBERS = [0, 1, 2, 300, 2 ** 31, 2 ** 32, 2 ** 53].map(varint);
/** As long as they may be, of no use, and beyond 64 bits. */
const ODD_NUMBERS = [
  Buffer.from([0x80, 0x00]),
  Buffer.from([0x81, 0x80, 0x00]),
  Buffer.from([0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
  Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02]),
];

const classifier = createClassifier({ fleetId: 'f', decoder: { decodeRequest, requestFieldNumbers } });

const delimited = (number: number, value: Buffer): Buffer =>
  Buffer.concat([varint(number * 8 + 2), varint(value.length), value]);

function fieldOf(draw: Draw, { kind, number, label }: SchemaField): Buffer {
  if (label === 'map') {
    const parts = [1, 2].flatMap((one) => (draw.below(8) === 0 ? [] : [delimited(one, draw.oneOf(BYTES))]));
    return delimited(number, Buffer.concat(draw.below(4) === 0 ? parts.reverse() : parts));
  }
  if (kind === 'string' || kind === 'bytes') return delimited(number, draw.oneOf(BYTES));
  return Buffer.concat([varint(number * 8), draw.oneOf(draw.below(8) === 0 ? ODD_NUMBERS : NUMBERS)]);
}

/** What Go's library would take for a field that it does not know, and protobufjs for this one. */
function mistyped(draw: Draw, { kind, number, label }: SchemaField): Buffer {
  if (label === 'map')
    return delimited(number, Buffer.concat([varint(8), draw.oneOf(NUMBERS), delimited(2, Buffer.from('x'))]));
  const isText = kind === 'string' || kind === 'bytes';
  return isText
    ? Buffer.concat([varint(number * 8), varint(draw.below(4))])
    : delimited(number, draw.oneOf(BYTES));
}

/** Some fields, most of them once, a few of them a second time, of another API, or of another type. */
function requestOf(draw: Draw, path: string): Buffer[] {
  const fields = fieldsAt(path);
  const parts = fields.flatMap((field) => (draw.below(2) === 0 ? [] : [fieldOf(draw, field)]));
  if (fields.length > 0 && draw.below(3) === 0) parts.push(fieldOf(draw, draw.oneOf(fields)));
  if (draw.below(12) === 0) parts.push(delimited(draw.oneOf([19, 2_000, 2 ** 29]), draw.oneOf(BYTES)));
  if (fields.length > 0 && draw.below(12) === 0) parts.push(mistyped(draw, draw.oneOf(fields)));
  return parts;
}

/** Another request, or the same one in other words: in another order, defaults said or left out, one part of it another one. */
function besides(draw: Draw, path: string, parts: readonly Buffer[]): Buffer[] {
  if (draw.below(4) === 0) return requestOf(draw, path);
  const others = [...parts];
  const moves = draw.below(3);
  for (let move = 0; move <= moves; move++) {
    const [one] = others.splice(draw.below(others.length), 1);
    if (one !== undefined && draw.below(3) > 0) others.splice(draw.below(others.length + 1), 0, one);
    else others.push(...requestOf(draw, path).slice(0, 1));
  }
  return others;
}

/** Undefined: no message, or one whose text is no text, which no question may be made of. */
function meant(path: string, bytes: Buffer): Meaning | undefined {
  try {
    return meaningOf(path, bytes);
  } catch {
    return undefined;
  }
}

const deciding = ({ fields }: Meaning, decides: RegExp): string =>
  JSON.stringify([...fields].filter(([name]) => decides.test(name)).sort());

const { count, each } = rounds('pairs of requests', 10_000);

it(`of ${count} pairs of requests those and only those have one key that ask the same`, async () => {
  const seen = { same: 0, other: 0, none: 0 };
  await each((draw) => {
    const { path, decides } = draw.oneOf(READS);
    const parts = requestOf(draw, path);
    const [a, b] = [Buffer.concat(parts), Buffer.concat(besides(draw, path, parts))];
    const [keyA, keyB] = [classifier.question(path, a)?.key, classifier.question(path, b)?.key];
    const [meantA, meantB] = [meant(path, a), meant(path, b)];
    for (const [key, what] of [
      [keyA, meantA],
      [keyB, meantB],
    ] as const) {
      if (key !== undefined && (what === undefined || what.isMistyped))
        throw new Error('a key for what cannot be read');
    }
    if (keyA === undefined || keyB === undefined || meantA === undefined || meantB === undefined) {
      seen.none++;
      return;
    }
    const isRaw = meantA.hasUnknown || meantB.hasUnknown;
    const same = isRaw ? a.equals(b) : deciding(meantA, decides) === deciding(meantB, decides);
    seen[same ? 'same' : 'other']++;
    if ((keyA === keyB) !== same) throw new Error(`${path}: ${a.toString('hex')} and ${b.toString('hex')}`);
  });
  if (count < 1_000) return;
  // Each of them was tried.
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(count / 50);
});

it('every request whose text is text has a key, however it is put', async () => {
  await rounds('plain requests', 2_000, 0.1).each((draw) => {
    const { path } = draw.oneOf(READS);
    const fields = fieldsAt(path).filter(({ kind, label }) => kind === 'string' && label !== 'map');
    const parts = fields.flatMap(({ number }) => delimited(number, Buffer.from(draw.oneOf(TEXTS))));
    const bytes = Buffer.concat(draw.below(2) === 0 ? parts : parts.reverse());
    expect(classifier.question(path, bytes)).toBeDefined();
  });
});
