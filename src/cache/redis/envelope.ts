import type { RedisRejectReason } from '../../observe/events.js';
import { createCheck } from '../../redis/check.js';
import type { Entry } from '../entry.js';
import { decodeStoredEntry, encodeStoredEntry, type Moment, STORED_SCHEMA } from '../stored-entry.js';

/** When a question was asked, on Redis's clock, µs: somewhere from the one to the other. */
export interface AskedAt {
  readonly earliestUs: number;
  readonly latestUs: number;
}

export type Opened =
  | { readonly kind: 'entry'; readonly entry: Entry; readonly asked: AskedAt }
  /** Of a newer gateway: not ours to read, and not ours to remove. */
  | { readonly kind: 'unknown-schema' }
  | { readonly kind: 'rejected'; readonly reason: RedisRejectReason };

/** One form of an answer in Redis. `encode` throws for a secret one; `decode` never throws. */
export interface EnvelopeSchema {
  readonly schema: number;
  readonly encode: typeof encodeStoredEntry;
  readonly decode: typeof decodeStoredEntry;
}

const CURRENT: EnvelopeSchema = {
  schema: STORED_SCHEMA,
  encode: encodeStoredEntry,
  decode: decodeStoredEntry,
};

/** What can be read, newest first; the first is what is written. A new form goes on top, and the one before it stays. */
export const ENVELOPE_SCHEMAS: readonly EnvelopeSchema[] = [CURRENT];

export interface Envelope {
  seal(name: string, entry: Entry, asked: AskedAt, now: Moment): Buffer;
  /** `now`: Redis's time at the looking, and this process's just before it, so that nothing seems younger than it is. */
  open(name: string, schema: EnvelopeSchema, value: Buffer, now: Moment): Opened;
}

const HEADER = /^dfmgw(\d{1,6}) (\d{16}) (\d{16}) ([A-Za-z0-9_-]{43}) $/;
const LONGEST_HEADER = 'dfmgw'.length + 6 + 1 + 16 + 1 + 16 + 1 + 43 + 1;

/**
 * `dfmgw1 <asked at the earliest> <at the latest> <check> <answer>`. The check covers the name under which it lies, so that
 * an answer under another's name, or another fleet's under ours, is none. With a secret it is an HMAC-SHA256 under a key derived
 * from it; without one it is a plain SHA-256, against accidents only.
 */
export function createEnvelope(options: {
  secret: string;
  fleetId: string;
  schemas?: readonly EnvelopeSchema[];
}): Envelope {
  const { secret, fleetId } = options;
  const current = options.schemas?.[0] ?? CURRENT;
  const check = createCheck({ secret, fleetId, purpose: 'dfmgw answers in Redis' });

  return {
    seal(name, entry, { earliestUs, latestUs }, now) {
      const stamps = `dfmgw${current.schema} ${digits(earliestUs)} ${digits(latestUs)}`;
      const body = current.encode(entry, now);
      return Buffer.concat([Buffer.from(`${stamps} ${check.of(name, stamps, body)} `), body]);
    },
    open(name, { schema, decode }, value, now) {
      const rejected = (reason: RedisRejectReason): Opened => ({ kind: 'rejected', reason });
      const [header, found, earliest, latest, written] = readHeader(value);
      if (header === undefined) return rejected('unreadable');
      if (Number(found) > schema) return { kind: 'unknown-schema' };
      const stamps = `dfmgw${found} ${earliest} ${latest}`;
      const body = value.subarray(header.length);
      if (Number(found) !== schema || !check.holds(written ?? '', name, stamps, body))
        return rejected('check');
      const asked = { earliestUs: Number(earliest), latestUs: Number(latest) };
      if (asked.earliestUs > now.wallMs * 1000) return rejected('from-the-future');
      const decoded = decode(body, fleetId, now);
      if (decoded.kind === 'entry') return { kind: 'entry', entry: decoded.entry, asked };
      return decoded.kind === 'unknown-schema' ? decoded : rejected('unreadable');
    },
  };
}

/** The stamps of `value` as text, unchecked; empty if it has none. */
export function stampsOf(value: Buffer): string {
  const [, , earliest, latest] = readHeader(value);
  return latest === undefined ? '' : `${earliest} ${latest}`;
}

/** The header as text, and its fields; empty if there is none. Bytes beyond ASCII never match. */
function readHeader(value: Buffer): readonly string[] {
  const start = value.subarray(0, LONGEST_HEADER).toString('latin1');
  let end = -1;
  for (let spaces = 0; spaces < 4; spaces++) end = start.indexOf(' ', end + 1);
  return HEADER.exec(start.slice(0, end + 1)) ?? [];
}

function digits(us: number): string {
  return String(Math.trunc(us)).padStart(16, '0');
}
