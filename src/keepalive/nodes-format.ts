import { z } from 'zod';
import type { BootMoment } from '../durable/boot-clock.js';
import { elapsedSince } from '../durable/elapsed.js';
import { frameRecord, readRecords } from '../durable/records.js';
import { USUAL_INTERVAL_MS } from './beats.js';
import type { NodeRecord } from './node.js';
import { decodeNodeRecord, encodeNodeRecord } from './stored-record.js';

/** The version of the file; it is in its name, too. */
export const NODES_SCHEMA = 1;

/** A node whose stream is held here, and when it was last heard here, on the monotonic clock, ms. */
export interface KeptNode {
  readonly record: NodeRecord;
  readonly lastBeatAtMs: number;
}

/** What a record holds; its first byte. */
const KIND = { header: 0x48, node: 0x4e } as const;
const AGE_BYTES = 8;

const form = z.strictObject({
  schema: z.literal(NODES_SCHEMA),
  fleetId: z.string(),
  replica: z.string(),
  writtenAtWallMs: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
  boot: z.strictObject({ bootId: z.string(), sinceBootMs: z.number().min(0) }).nullable(),
});

export interface NodesMoment {
  readonly nowMs: number;
  readonly wallMs: number;
  readonly boot: BootMoment | undefined;
}

/** Header, then `<age of the last beat, ms, double> <record>` each. */
export function* encodeNodes(
  nodes: Iterable<KeptNode>,
  about: { readonly fleetId: string; readonly replica: string },
  { nowMs, wallMs, boot }: NodesMoment,
): Generator<Buffer> {
  const header = { schema: NODES_SCHEMA, ...about, writtenAtWallMs: wallMs, boot: boot ?? null };
  yield frameRecord(Buffer.concat([Buffer.of(KIND.header), Buffer.from(JSON.stringify(header))]));
  for (const { record, lastBeatAtMs } of nodes) {
    const body = encodeNodeRecord(record);
    if (body === undefined) continue;
    const head = Buffer.alloc(1 + AGE_BYTES);
    head.writeUInt8(KIND.node);
    head.writeDoubleBE(Math.max(0, nowMs - lastBeatAtMs), 1);
    yield frameRecord(Buffer.concat([head, body]));
  }
}

export interface RestoredNodes {
  readonly records: readonly NodeRecord[];
  /** The name under which the process that wrote them held them. */
  readonly replica: string;
  /** Nodes that were there, and are not among `records`. */
  readonly tooOld: number;
}

const NONE: RestoredNodes = { records: [], replica: '', tooOld: 0 };

/**
 * Nodes that may live still: heard less than the grace and three of their intervals ago, by a clock that nobody sets. Without one,
 * or after the machine was started anew, nobody can tell, and there are none. Never throws.
 */
export function decodeNodes(
  bytes: Buffer,
  { fleetId, graceMs }: { readonly fleetId: string; readonly graceMs: number },
  { wallMs, boot }: NodesMoment,
): RestoredNodes {
  const { payloads } = readRecords(bytes);
  const header = payloads.map(readHeader).find((found) => found?.fleetId === fleetId);
  if (header === undefined) return NONE;
  const elapsed = elapsedSince(header, wallMs, boot);
  const nodes = payloads.flatMap((payload) => readNode(payload) ?? []);
  const records = nodes
    .filter(({ record, ageMs }) => {
      const mostMs = graceMs + 3 * (record.intervalMs ?? USUAL_INTERVAL_MS);
      return elapsed.certain && ageMs + elapsed.ms < mostMs;
    })
    .map(({ record }) => record);
  return { records, replica: header.replica, tooOld: nodes.length - records.length };
}

function readHeader(payload: Buffer): z.infer<typeof form> | undefined {
  if (payload[0] !== KIND.header) return undefined;
  try {
    return form.safeParse(JSON.parse(payload.subarray(1).toString('utf8'))).data;
  } catch {
    // A sound record of another form.
    return undefined;
  }
}

function readNode(payload: Buffer): { readonly record: NodeRecord; readonly ageMs: number } | undefined {
  if (payload[0] !== KIND.node || payload.length <= 1 + AGE_BYTES) return undefined;
  const ageMs = payload.readDoubleBE(1);
  const decoded = decodeNodeRecord(payload.subarray(1 + AGE_BYTES));
  return decoded !== undefined && ageMs >= 0 ? { record: decoded.record, ageMs } : undefined;
}
