import { z } from 'zod';
import { nearest } from '../nearest.js';
import { isTree, type Tree } from '../tree.js';
import { type FieldForm, REQUEST_FIELDS, SOURCES, type WarmupRequest } from '../warmup-request.js';
import { below, type Complain, items, section } from './items.js';
import { describe } from './scalars.js';

const KEYS = ['method', 'version', 'request'];
const METHOD_NAMES = Object.keys(REQUEST_FIELDS);

/** A list of questions. */
export function warmupRequests(description: string) {
  const allowed =
    'list of { method, version, request }: a read by name, v2 (as without) or v1, and its fields as the API names them';
  return describe(items(readItem), { description, allowed, written: [] });
}

function readItem(given: unknown, complain: Complain): WarmupRequest {
  const none = z.NEVER as WarmupRequest;
  const item = section(given, KEYS, complain);
  if (item === undefined) return none;
  const { method, version = 'v2', request = {} } = item;
  const versions = typeof method === 'string' && Object.hasOwn(REQUEST_FIELDS, method);
  if (!versions) {
    complain(item.method === undefined ? [] : ['method'], wrongMethod(method));
    return none;
  }
  const fieldsOf: Readonly<Record<string, Readonly<Record<string, FieldForm>> | undefined>> =
    REQUEST_FIELDS[method as WarmupRequest['method']];
  const fields =
    typeof version === 'string' && Object.hasOwn(fieldsOf, version) ? fieldsOf[version] : undefined;
  if (fields === undefined) {
    complain(['version'], `${method} is there in ${Object.keys(fieldsOf).join(', ')}`);
    return none;
  }
  if (!isTree(request)) complain(['request'], 'it is not a section of fields');
  else checkFields(request, fields, below(complain, 'request'));
  return { method, version, request } as WarmupRequest;
}

function wrongMethod(method: unknown): string {
  if (method === undefined) return 'the method is missing';
  if (method === 'GetObjectStorage') return 'its answer holds credentials, and is not asked for ahead';
  const meant = typeof method === 'string' ? nearest(method, METHOD_NAMES) : undefined;
  return `a method that is no read; ${meant === undefined ? `there are ${METHOD_NAMES.join(', ')}` : `did you mean ${meant}?`}`;
}

function checkFields(request: Tree, fields: Readonly<Record<string, FieldForm>>, complain: Complain): void {
  for (const [name, value] of Object.entries(request)) {
    const form = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (form === undefined) {
      complain([name], `an unknown field; there are ${Object.keys(fields).join(', ')}`);
      continue;
    }
    const wrong = WRONG[form](value);
    if (wrong !== undefined) complain([name], wrong);
  }
}

const isText = (value: unknown): boolean => typeof value === 'string';

/** What is wrong with a value; undefined: nothing. */
const WRONG: Readonly<Record<FieldForm, (value: unknown) => string | undefined>> = {
  text: (value) => (isText(value) ? undefined : 'it is not text'),
  // As text for ids beyond 2^53, which YAML's numbers cannot hold.
  id: (value) =>
    (Number.isSafeInteger(value) && Number(value) >= 0) || (isText(value) && /^\d{1,19}$/.test(String(value)))
      ? undefined
      : 'it is not a whole number',
  source: (value) =>
    SOURCES.some((source) => source === value) ? undefined : `it is none of ${SOURCES.join(', ')}`,
  texts: (value) =>
    isTree(value) && Object.values(value).every(isText) ? undefined : 'it is not texts by name',
};
