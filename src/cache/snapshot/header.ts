import { z } from 'zod';
import type { BootMoment } from '../../durable/boot-clock.js';
import type { Moment } from '../stored-entry.js';

/** The version of the file. It is in its name, too, so that versions lie side by side and none overwrites another. */
export const SNAPSHOT_SCHEMA = 1;

const form = z.strictObject({
  schema: z.literal(SNAPSHOT_SCHEMA),
  fleetId: z.string(),
  writtenAtWallMs: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
  boot: z.strictObject({ bootId: z.string(), sinceBootMs: z.number().min(0) }).nullable(),
});

export type SnapshotHeader = z.infer<typeof form>;

export function encodeHeader(fleetId: string, now: Moment, boot: BootMoment | undefined): Buffer {
  const header: SnapshotHeader = {
    schema: SNAPSHOT_SCHEMA,
    fleetId,
    writtenAtWallMs: now.wallMs,
    boot: boot === undefined ? null : { ...boot },
  };
  return Buffer.from(JSON.stringify(header));
}

/** undefined: none that this version understands. */
export function decodeHeader(bytes: Buffer): SnapshotHeader | undefined {
  try {
    return form.safeParse(JSON.parse(bytes.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
