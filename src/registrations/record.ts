import { z } from 'zod';
import type { Reply } from '../rpc/call.js';
import { OK_STATUS } from '../rpc/status.js';
import type { Deletion, NodeName, Registration } from './registration.js';

/**
 * One line of the journal. `known`: the manager has taken this registration, and answered so; it settles a pending one.
 * `pending`: acknowledged, and to be made up for. `settled`: needs no making up for any more. `deleted`: a tombstone.
 */
export type JournalRecord =
  | { readonly kind: 'known'; readonly registration: Registration; readonly reply: Reply }
  | { readonly kind: 'pending'; readonly registration: Registration; readonly acknowledgedAtWallMs: number }
  | { readonly kind: 'settled'; readonly node: NodeName }
  | { readonly kind: 'deleted'; readonly deletion: Deletion };

const node = z.strictObject({
  kind: z.enum(['scheduler', 'seed-peer']),
  source: z.string(),
  clusterId: z.string(),
  hostname: z.string(),
});
const registration = z.strictObject({
  node,
  path: z.string(),
  ip: z.string(),
  port: z.number(),
  request: z.base64(),
});
const metadata = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

const form = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('known'),
    registration,
    reply: z.strictObject({ headers: metadata, message: z.base64().nullable(), trailers: metadata }),
  }),
  z.strictObject({ kind: z.literal('pending'), registration, acknowledgedAtWallMs: z.number() }),
  z.strictObject({ kind: z.literal('settled'), node }),
  z.strictObject({
    kind: z.literal('deleted'),
    deletion: z.strictObject({ clusterId: z.string(), hostname: z.string(), ip: z.string() }),
  }),
]);

export function encodeJournalRecord(record: JournalRecord): Buffer {
  return Buffer.from(JSON.stringify(written(record)));
}

function written(record: JournalRecord): unknown {
  switch (record.kind) {
    case 'known': {
      const { headers, message, trailers } = record.reply;
      const reply = { headers, message: message?.toString('base64') ?? null, trailers };
      return { kind: record.kind, registration: withText(record.registration), reply };
    }
    case 'pending':
      return { ...record, registration: withText(record.registration) };
    case 'settled':
    case 'deleted':
      return record;
    default:
      return record satisfies never;
  }
}

/** undefined: no record that this version understands. Never throws. */
export function decodeJournalRecord(bytes: Buffer): JournalRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  const record = form.safeParse(value).data;
  if (record === undefined) return undefined;
  switch (record.kind) {
    case 'known': {
      const { headers, message, trailers } = record.reply;
      const bytesOrNone = message === null ? undefined : Buffer.from(message, 'base64');
      const reply: Reply = { headers, message: bytesOrNone, status: OK_STATUS, trailers };
      return { kind: record.kind, registration: withBytes(record.registration), reply };
    }
    case 'pending':
      return { ...record, registration: withBytes(record.registration) };
    case 'settled':
    case 'deleted':
      return record;
    default:
      return record satisfies never;
  }
}

function withText(from: Registration): z.infer<typeof registration> {
  return { ...from, request: from.request.toString('base64') };
}

function withBytes(from: z.infer<typeof registration>): Registration {
  return { ...from, request: Buffer.from(from.request, 'base64') };
}
