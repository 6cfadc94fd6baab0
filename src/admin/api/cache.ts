import { z } from 'zod';
import { ageMs, type Entry, sizeOfEntry } from '../../cache/entry.js';
import { freshnessOf } from '../../cache/freshness.js';
import type { Hand, Refreshed } from '../../cache/hand.js';
import type { MemoryStore } from '../../cache/memory.js';
import type { Voids } from '../../cache/voids.js';
import type { Config } from '../../config/config.js';
import { statusOfError } from '../../errors.js';
import type { Question } from '../../rpc/question.js';
import { codeName } from '../../rpc/status.js';
import { type HttpReply, type HttpRoute, json, text } from '../http-server.js';
import { askedNumber } from './asked-number.js';

/** What is remembered, for people. */
export interface CacheSource {
  readonly store: MemoryStore;
  readonly voids: Voids;
  readonly hand: Hand;
  readonly limits: Config['cache'];
  readonly decode: (path: string, bytes: Buffer) => unknown;
  readonly nowMs: () => number;
}

const DEFAULT_LIMIT = 200;
const MAX_LIMIT = 1_000;

/** `GET /api/cache?method=&find=&held=true&limit=&offset=`: the most lately used first. */
export function listCache(source: CacheSource): HttpRoute {
  return (query) => {
    const limit = askedNumber(query, 'limit', DEFAULT_LIMIT, MAX_LIMIT);
    const offset = askedNumber(query, 'offset', 0, Number.MAX_SAFE_INTEGER);
    const all = [...source.store.entries()];
    const meant = all.filter(isMeant(query));
    return json(200, {
      count: source.store.count,
      held: all.filter(({ held }) => held !== undefined).length,
      sizeBytes: source.store.sizeBytes,
      maxBytes: source.limits.maxBytes,
      matching: meant.length,
      entries: meant.slice(offset, offset + limit).map((entry) => shown(source, entry)),
    });
  };
}

/** `find`: some text, case aside, in what decides the answer (a host name, an address). */
function isMeant(query: URLSearchParams): (entry: Entry) => boolean {
  const method = query.get('method');
  const find = (query.get('find') ?? '').toLowerCase();
  const onlyHeld = query.get('held') === 'true';
  return ({ question, held }) =>
    (method === null || question.method === method) &&
    (!onlyHeld || held !== undefined) &&
    (find === '' || partsOf(question).some((part) => part.toLowerCase().includes(find)));
}

/** [schema, fleet, version, method, what decides the answer …] */
function partsOf({ parts }: Question): readonly string[] {
  return parts.slice(4);
}

export type ShownEntry = ReturnType<typeof shown>;

/** `GET /api/cache/entry?key=`: with what it says, decoded; but for secrets. */
export function showEntry(source: CacheSource): HttpRoute {
  return (query) => {
    const entry = source.store.peek(query.get('key') ?? '');
    if (entry === undefined) return text(404, 'nothing is remembered under this key\n');
    return json(200, {
      ...shown(source, entry),
      trailers: entry.question.secret ? {} : entry.reply.trailers,
      answer: contentOf(source, entry),
    });
  };
}

function shown({ store, voids, limits, nowMs }: CacheSource, entry: Entry) {
  const { question, reply, held } = entry;
  const now = nowMs();
  return {
    key: question.key,
    method: question.method,
    version: question.version,
    parts: partsOf(question),
    audience: question.audience,
    secret: question.secret,
    freshness: freshnessOf(entry, limits, voids, now),
    ageMs: Math.round(ageMs(entry, now)),
    status: codeName(reply.status.code),
    statusMessage: reply.status.message,
    sizeBytes: sizeOfEntry(entry),
    uses: store.uses(question.key),
    manager: entry.manager,
    /** It was this replica that asked; false: another one did, and it came by Redis. */
    askedHere: entry.askedByMs === undefined,
    held: held === undefined ? null : { reason: held.reason, forMs: Math.round(now - held.sinceMs) },
  };
}

function contentOf({ decode }: CacheSource, { question, reply }: Entry): unknown {
  if (question.secret) return '(secret)';
  if (reply.message === undefined) return null;
  try {
    return plain(decode(question.path, reply.message));
  } catch {
    return '(cannot be read)';
  }
}

/** For JSON: bytes as text where they are UTF-8 (scopes and configurations are), else base64. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) {
    const asText = value.toString('utf8');
    return Buffer.from(asText, 'utf8').equals(value) ? asText : value.toString('base64');
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

const KEY = z.strictObject({ key: z.string().min(1) });
const WHICH = z.union([
  KEY,
  z.strictObject({ method: z.string().min(1) }),
  z.strictObject({ all: z.literal(true) }),
]);

/** `POST /api/cache/refresh {key}`. */
export function refreshEntry({ hand }: CacheSource): (body: unknown) => Promise<HttpReply> {
  return withKey((key) => hand.refresh(key));
}

/** `POST /api/cache/accept {key}`: what the guard holds back is right. */
export function acceptEntry({ hand }: CacheSource): (body: unknown) => Promise<HttpReply> {
  return withKey((key) => hand.accept(key));
}

/** `POST /api/cache/drop {key} | {method} | {all: true}`. */
export function dropEntries({ hand }: CacheSource): (body: unknown) => HttpReply {
  return (body) => {
    const which = WHICH.safeParse(body);
    if (!which.success) return text(400, 'allowed: {"key": …}, {"method": …} or {"all": true}\n');
    const { data } = which;
    const dropped = hand.drop(({ question }) => {
      if ('key' in data) return question.key === data.key;
      return 'all' in data || question.method === data.method;
    });
    return dropped === 0 ? text(404, 'nothing of that is remembered\n') : json(200, { dropped });
  };
}

function withKey(act: (key: string) => Promise<Refreshed>): (body: unknown) => Promise<HttpReply> {
  return async (body) => {
    const asked = KEY.safeParse(body);
    if (!asked.success) return text(400, 'allowed: {"key": …}\n');
    const done = await act(asked.data.key);
    switch (done.kind) {
      case 'refreshed': {
        const { source, reply } = done.answer;
        return json(200, {
          source,
          status: codeName(reply.status.code),
          statusMessage: reply.status.message,
        });
      }
      case 'failed':
        return text(502, `${statusOfError(done.error).message}\n`);
      case 'unknown':
        return text(404, 'nothing is remembered under this key\n');
      case 'nobody-asked':
        return text(409, 'no caller has asked this here since the start, so that it cannot be asked again\n');
      case 'not-held':
        return text(409, 'the guard holds nothing back here\n');
      default:
        return done satisfies never;
    }
  };
}
