import { z } from 'zod';
import { type NodeRecord, nodeKeyOf } from './node.js';

/** The form in which records leave the process. One more with every change that an older reader would misread. */
export const NODE_RECORD_SCHEMA = 1;
/** Larger ones stay in memory: a first message is some 50 bytes. */
const LARGEST_FIRST_BYTES = 16 * 1024;

/** The paths under which a stored first message may be sent again. */
const PATHS = ['/manager.v2.Manager/KeepAlive', '/manager.Manager/KeepAlive'] as const;

const form = z.strictObject({
  schema: z.literal(NODE_RECORD_SCHEMA),
  kind: z.enum(['scheduler', 'seed-peer']),
  source: z.string(),
  clusterId: z.string(),
  hostname: z.string(),
  ip: z.string(),
  path: z.enum(PATHS),
  /** Base64. */
  first: z.base64(),
  intervalMs: z.number().min(1).max(3_600_000).nullable(),
});

/** `record` as JSON; undefined: it is too large to leave the process. */
export function encodeNodeRecord({ node, path, first, intervalMs }: NodeRecord): Buffer | undefined {
  if (first.length > LARGEST_FIRST_BYTES) return undefined;
  const { kind, source, clusterId, hostname, ip } = node;
  const stored = {
    schema: NODE_RECORD_SCHEMA,
    kind,
    source,
    clusterId,
    hostname,
    ip,
    path,
    first: first.toString('base64'),
    intervalMs: intervalMs ?? null,
  };
  return Buffer.from(JSON.stringify(stored));
}

/** undefined: nothing that this version understands. Never throws. */
export function decodeNodeRecord(
  bytes: Buffer,
): { readonly key: string; readonly record: NodeRecord } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  const stored = form.safeParse(value).data;
  if (stored === undefined) return undefined;
  const { kind, source, clusterId, hostname, ip, path } = stored;
  const first = Buffer.from(stored.first, 'base64');
  if (first.length > LARGEST_FIRST_BYTES) return undefined;
  const record: NodeRecord = {
    node: { kind, source, clusterId, hostname, ip },
    path,
    first,
    intervalMs: stored.intervalMs ?? undefined,
  };
  return { key: nodeKeyOf(record.node), record };
}
