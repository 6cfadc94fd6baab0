import { z } from 'zod';
import { METHODS } from '../config/methods.js';
import { GatewayError } from '../errors.js';
import { laidOut } from '../rpc/framed.js';
import { keyOf } from '../rpc/key.js';
import type { Entry } from './entry.js';

/** The form in which entries leave the process: on disk and in Redis. One more with every change that an older reader would misread. */
export const STORED_SCHEMA = 1;

/** One moment on both clocks: Unix time, which outlives the process, and the monotonic clock of this process. Both ms. */
export interface Moment {
  readonly wallMs: number;
  readonly nowMs: number;
}

export type DecodedEntry =
  | { readonly kind: 'entry'; readonly entry: Entry }
  /** Of a newer gateway: not ours to read, and not ours to destroy. */
  | { readonly kind: 'unknown-schema' }
  | { readonly kind: 'invalid'; readonly detail: string };

const time = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const metadata = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

const form = z.strictObject({
  schema: z.literal(STORED_SCHEMA),
  key: z.string(),
  parts: z.array(z.string()).min(4),
  path: z.string(),
  method: z.enum(METHODS),
  version: z.enum(['v1', 'v2']),
  audience: z.enum(['own', 'common']),
  tags: z.array(z.string()),
  status: z.strictObject({ code: z.int().min(0), message: z.string() }),
  /** Base64; null: the manager ended without a message. */
  message: z.base64().nullable(),
  headers: metadata,
  trailers: metadata,
  askedAtWallMs: time,
  answeredAtWallMs: time,
  manager: z.string(),
  empty: z.boolean(),
});

type StoredEntry = z.infer<typeof form>;

/** `entry` as bytes. Throws `internal` for a secret one: those never leave the memory of the process. */
export function encodeStoredEntry(entry: Entry, now: Moment): Buffer {
  const { question, reply } = entry;
  if (question.secret)
    throw new GatewayError('internal', `an answer to ${question.method} may not be stored`);
  const wall = (ms: number): number => Math.max(0, now.wallMs - (now.nowMs - ms));
  const stored: StoredEntry = {
    schema: STORED_SCHEMA,
    key: question.key,
    parts: [...question.parts],
    path: question.path,
    method: question.method,
    version: question.version,
    audience: question.audience,
    tags: [...question.tags],
    status: reply.status,
    message: reply.message?.toString('base64') ?? null,
    headers: plain(reply.headers),
    trailers: plain(reply.trailers),
    askedAtWallMs: wall(entry.askedAtMs),
    answeredAtWallMs: wall(entry.answeredAtMs),
    manager: entry.manager,
    empty: entry.empty,
  };
  return Buffer.from(JSON.stringify(stored));
}

/**
 * The entry in `bytes`, its times on this process's monotonic clock as of `now`. What was asked for later than now,
 * by a clock that has been set back since, was asked for now: ages are never negative. Held-back answers are not stored: the guard
 * begins its count anew. Never throws.
 */
export function decodeStoredEntry(bytes: Buffer, fleetId: string, now: Moment): DecodedEntry {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return { kind: 'invalid', detail: 'no JSON' };
  }
  const { schema } = (value ?? {}) as { schema?: unknown };
  if (typeof schema === 'number' && schema > STORED_SCHEMA) return { kind: 'unknown-schema' };
  const parsed = form.safeParse(value);
  if (!parsed.success) return { kind: 'invalid', detail: parsed.error.issues[0]?.message ?? 'another form' };
  const detail = contradiction(parsed.data, fleetId);
  return detail === undefined
    ? { kind: 'entry', entry: toEntry(parsed.data, now) }
    : { kind: 'invalid', detail };
}

/** What no encoder here would have written; undefined if all of it belongs together. */
function contradiction(stored: StoredEntry, fleetId: string): string | undefined {
  const { parts, version, method, path } = stored;
  if (keyOf(parts).key !== stored.key) return 'the key is not that of its parts';
  if (parts[1] !== fleetId) return 'of another fleet';
  if (parts[2] !== version || parts[3] !== method) return 'the parts are of another method';
  if (path !== `/manager.${version === 'v2' ? 'v2.' : ''}Manager/${method}`)
    return 'the path is of another method';
  // The only read whose answer holds credentials; no encoder here writes it.
  if (method === 'GetObjectStorage') return 'a secret answer';
  if (stored.answeredAtWallMs < stored.askedAtWallMs) return 'answered before it was asked for';
  return undefined;
}

function toEntry(stored: StoredEntry, now: Moment): Entry {
  const monotonic = (wallMs: number): number => now.nowMs - Math.max(0, now.wallMs - wallMs);
  const { key, parts, path, method, version, audience, tags, status, headers, trailers } = stored;
  const askedAtMs = monotonic(stored.askedAtWallMs);
  return {
    question: { key, parts, path, method, version, audience, tags, secret: false },
    reply: {
      status,
      headers,
      trailers,
      message: stored.message === null ? undefined : laidOut(Buffer.from(stored.message, 'base64')),
    },
    askedAtMs,
    answeredAtMs: monotonic(stored.answeredAtWallMs),
    checkedAtMs: askedAtMs,
    manager: stored.manager,
    empty: stored.empty,
    held: undefined,
  };
}

function plain(values: Entry['reply']['headers']): StoredEntry['headers'] {
  const kept: StoredEntry['headers'] = {};
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) kept[name] = typeof value === 'string' ? value : [...value];
  }
  return kept;
}
