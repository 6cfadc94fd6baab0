import type { Question } from '../../rpc/question.js';
import { parseAddress } from './go-address.js';

/** Who asks for schedulers, and for whose: `clusterId` undefined, the searcher's list of all clusters. */
export interface Asker {
  readonly clusterId: string | undefined;
  readonly hostname: string;
  readonly ip: string;
  readonly idc: string;
  readonly location: string;
}

/** Schema, fleet, version and method stand before what a question depends on. */
const COMMON_PARTS = 4;

/** Marks the parts of a question that several ask as one. No cluster id and no source type reads so. */
export const SHARED = 'shared';

/** Reads the caller out of the parts of his own question (see `route/method-table.ts`); undefined: not one whose answer could be shared. */
export function askerOf(question: Question): Asker | undefined {
  if (question.version !== 'v2' || question.method !== 'ListSchedulers') return undefined;
  const parts = question.parts.slice(COMMON_PARTS);
  if (parts[0] === SHARED || parts.length < 5 || parts.length > 6) return undefined;
  const [hostname = '', ip = '', idc = '', location = ''] = parts.slice(-4);
  return { clusterId: parts.length === 6 ? parts[0] : undefined, hostname, ip, idc, location };
}

/** Where a caller says that it is. */
export type Place = Pick<Asker, 'idc' | 'location'>;

/** From where the searcher's list of all clusters was asked for, by one caller or by all of a place; undefined: something else was. */
export function placeOf(question: Question): Place | undefined {
  const [kind, idc = '', location = ''] = sharedParts(question) ?? [];
  if (kind === 'place' || kind === 'blocks') return { idc, location };
  const asker = askerOf(question);
  return asker?.clusterId === undefined ? asker : undefined;
}

/** The fields that a shared question is made of, or undefined if `question` is a caller's own. */
export function sharedParts(question: Question): readonly string[] | undefined {
  const parts = question.parts.slice(COMMON_PARTS);
  return question.method === 'ListSchedulers' && parts[0] === SHARED ? parts.slice(1) : undefined;
}

/** Longest text that the manager's validators take. */
const LONGEST_TEXT = 1024;
const SOURCE_TYPES = new Set(['SCHEDULER_SOURCE', 'PEER_SOURCE', 'SEED_PEER_SOURCE']);

/** Questions are kept by whoever made them out of a request, and asked again and again: each is read once. */
const askers = new WeakMap<Question, Asker | 'not-shared'>();

/** The caller, if the answer could be shared: a question of a kind that can, which the manager surely does not refuse. */
export function sharableAsker(question: Question, message: Buffer): Asker | undefined {
  if (question.method !== 'ListSchedulers' || message.length > LONGEST_TEXT) return undefined;
  let known = askers.get(question);
  if (known === undefined) {
    const asker = askerOf(question);
    known = asker !== undefined && isPlainlyValid(question, asker) ? asker : 'not-shared';
    askers.set(question, known);
  }
  return known === 'not-shared' ? undefined : known;
}

/**
 * Whether the manager's validators surely take the request: one that they refuse must be refused, not answered with
 * what others got. A message no longer than the longest text holds none that is longer.
 */
function isPlainlyValid(question: Question, asker: Asker): boolean {
  const sourceType = question.parts.at(-5) ?? '';
  return (
    SOURCE_TYPES.has(sourceType) &&
    isHostname(asker.hostname) &&
    parseAddress(asker.ip) !== undefined &&
    // What is no UTF-8 was decoded to this, and the manager refuses it.
    ![asker.hostname, asker.idc, asker.location].some((text) => text.includes('\ufffd'))
  );
}

/** As protoc-gen-validate understands `string.hostname`. */
function isHostname(text: string): boolean {
  const name = text.replace(/\.$/, '');
  return (
    name.length <= 253 && name.split('.').every((part) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(part))
  );
}
