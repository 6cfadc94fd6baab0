import { LRUCache } from 'lru-cache';
import { keyOf } from '../rpc/key.js';
import type { Question } from '../rpc/question.js';
import { type Fields, METHOD_TABLE, type Route, type Touched } from './method-table.js';
import { wireFields } from './wire.js';

/** Part of every key: entries of another schema are other entries. */
const KEY_SCHEMA = '1';

/** Requests seen before skip the decoding. Larger ones than this are rare and not worth the memory. */
const SEEN_ENTRIES = 32_768;
const SEEN_REQUEST_BYTES = 1_024;

export interface RequestDecoder {
  /** Fields of a request, names as in the proto. Throws on bytes that are no such message. */
  decodeRequest(path: string, bytes: Buffer): Fields;
  /** Field numbers that the proto knows at the top level of the request of `path`. */
  requestFieldNumbers(path: string): ReadonlySet<number>;
}

export interface Classifier {
  /** The question that a read asks, or undefined if nobody can tell: then it is forwarded. */
  question(path: string, message: Buffer): Question | undefined;
  /** The tags that a write touches; undefined if it cannot be read: then it touches everything. */
  touched(path: string, message: Buffer): Touched | undefined;
}

export function createClassifier(options: { fleetId: string; decoder: RequestDecoder }): Classifier {
  const { fleetId, decoder } = options;
  const seen = new LRUCache<string, Question>({ max: SEEN_ENTRIES });

  const decode = (path: string, message: Buffer): Fields | undefined => {
    try {
      return decoder.decodeRequest(path, message);
    } catch {
      // Not an error here: the manager is the one to say what is wrong with it.
      return undefined;
    }
  };

  const understand = (path: string, route: ReadRoute, message: Buffer): Question | undefined => {
    const fields = decode(path, message);
    const sent = wireFields(message);
    if (fields === undefined || sent === undefined || hasUnreadableText(fields)) return undefined;
    const known = decoder.requestFieldNumbers(path);
    const dependence = route.dependence(fields);
    // A field from a newer API may decide the answer: then only the very same bytes ask the same thing.
    const understood = sent.every(({ number }) => known.has(number));
    const parts = understood ? dependence.parts(fields) : ['raw', message.toString('base64')];
    return {
      path,
      method: route.method,
      version: route.version,
      ...keyOf([KEY_SCHEMA, fleetId, route.version, route.method, ...parts]),
      tags: route.tags(fields),
      audience: understood ? dependence.audience : 'own',
      secret: route.secret,
    };
  };

  return {
    question(path, message) {
      const route = METHOD_TABLE.get(path);
      if (route?.kind !== 'read') return undefined;
      if (message.length > SEEN_REQUEST_BYTES) return understand(path, route, message);
      // A known path holds no space, so the first space ends it: no two pairs share a text.
      const seenKey = `${path} ${message.toString('latin1')}`;
      const known = seen.get(seenKey);
      if (known !== undefined) return known;
      const question = understand(path, route, message);
      if (question !== undefined) seen.set(seenKey, question);
      return question;
    },
    touched(path, message) {
      const route = METHOD_TABLE.get(path);
      if (route?.kind !== 'write') return undefined;
      const fields = decode(path, message);
      return fields === undefined ? undefined : route.touches(fields);
    },
  };
}

/**
 * Was some text no UTF-8? protobufjs puts U+FFFD in its place, so that different requests would look alike; Go's library
 * refuses them with INTERNAL, which looks like a fault of the manager, and twenty of those open the breaker for everybody.
 * Who really sends U+FFFD is forwarded, too, and loses nothing but the cache.
 */
function hasUnreadableText(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\u{fffd}');
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return false;
  return Object.entries(value).some((entry) => entry.some(hasUnreadableText));
}

type ReadRoute = Extract<Route, { kind: 'read' }>;
