import type { BootMoment } from '../../durable/boot-clock.js';
import { elapsedSince } from '../../durable/elapsed.js';
import { frameRecord, readRecords } from '../../durable/records.js';
import type { Entry } from '../entry.js';
import { ageMs } from '../entry.js';
import { decodeStoredEntry, encodeStoredEntry, type Moment } from '../stored-entry.js';
import { decodeHeader, encodeHeader } from './header.js';

/** What a record holds; its first byte. `void`: an entry that a write has expired since it was asked for. */
const KIND = { header: 0x48, entry: 0x45, void: 0x56 } as const;

/** Written in pieces of about this size, so that a large memory does not stop the process for long. */
const CHUNK_BYTES = 256 * 1024;

export interface SnapshotContent {
  readonly fleetId: string;
  /** The one that is to survive if not all fit, first. */
  readonly entries: readonly Entry[];
  readonly isVoid: (entry: Entry) => boolean;
  readonly maxBytes: number;
  readonly now: Moment;
  readonly boot: BootMoment | undefined;
}

/** The file, piece by piece: header, entries, the header again in case the first is damaged. Secrets stay out. */
export function* encodeSnapshot(content: SnapshotContent): Generator<Buffer> {
  const header = recordOf(KIND.header, encodeHeader(content.fleetId, content.now, content.boot));
  let leftBytes = content.maxBytes - 2 * header.length;
  let chunk: Buffer[] = [header];
  let chunkBytes = header.length;
  for (const entry of content.entries) {
    if (entry.question.secret) continue;
    const kind = content.isVoid(entry) ? KIND.void : KIND.entry;
    const record = recordOf(kind, encodeStoredEntry(entry, content.now));
    leftBytes -= record.length;
    if (leftBytes < 0) break;
    chunk.push(record);
    chunkBytes += record.length;
    if (chunkBytes < CHUNK_BYTES) continue;
    yield Buffer.concat(chunk);
    chunk = [];
    chunkBytes = 0;
  }
  yield Buffer.concat([...chunk, header]);
}

export interface RestoredSnapshot {
  /** In the order of the file. */
  readonly entries: readonly Entry[];
  readonly damagedBytes: number;
  /** Sound records that were not taken: of another fleet, an unknown form, or too old to be an answer. */
  readonly ignored: number;
}

export interface RestoreOptions {
  readonly fleetId: string;
  readonly maxStaleMs: number;
  readonly now: Moment;
  readonly boot: BootMoment | undefined;
}

/** Whatever is sound in `bytes`. Without a header nobody can tell how old anything is, and nothing is taken. Never throws. */
export function decodeSnapshot(bytes: Buffer, options: RestoreOptions): RestoredSnapshot {
  const { payloads, damagedBytes } = readRecords(bytes);
  const header = payloads
    .filter((payload) => payload[0] === KIND.header)
    .map((payload) => decodeHeader(payload.subarray(1)))
    .find((found) => found?.fleetId === options.fleetId);
  const records = payloads.filter((payload) => payload[0] !== KIND.header);
  if (header === undefined) return { entries: [], damagedBytes, ignored: records.length };
  const elapsed = elapsedSince(header, options.now.wallMs, options.boot);
  const written: Moment = { wallMs: header.writtenAtWallMs, nowMs: options.now.nowMs };
  const entries = records.flatMap((payload) => {
    const kind = payload[0];
    if (kind !== KIND.entry && kind !== KIND.void) return [];
    const decoded = decodeStoredEntry(payload.subarray(1), options.fleetId, written);
    if (decoded.kind !== 'entry') return [];
    return aged(decoded.entry, elapsed, kind === KIND.void, options) ?? [];
  });
  return { entries, damagedBytes, ignored: records.length - entries.length };
}

/**
 * The entry as it is now, undefined if it is older than `cache.maxStale` beyond doubt. A wall clock may have been set
 * forward meanwhile; what it says makes an answer older by at most half of what is left of its time, and then asked for
 * before it is given (docs/decisions/0008-ages-over-a-restart.md).
 */
function aged(
  entry: Entry,
  elapsed: { readonly ms: number; readonly certain: boolean },
  isVoid: boolean,
  { maxStaleMs, now }: RestoreOptions,
): Entry | undefined {
  const leftMs = maxStaleMs - ageMs(entry, now.nowMs);
  if (leftMs < 0 || (elapsed.certain && elapsed.ms > leftMs)) return undefined;
  const passedMs = elapsed.certain ? elapsed.ms : Math.min(elapsed.ms, leftMs / 2);
  const askedAtMs = entry.askedAtMs - passedMs;
  const mustAsk = isVoid || passedMs < elapsed.ms;
  return {
    ...entry,
    askedAtMs,
    answeredAtMs: entry.answeredAtMs - passedMs,
    checkedAtMs: mustAsk ? Number.NEGATIVE_INFINITY : askedAtMs,
  };
}

function recordOf(kind: number, payload: Buffer): Buffer {
  return frameRecord(Buffer.concat([Buffer.of(kind), payload]));
}
