import { type ClientRule, METHOD_GROUP_NAMES, METHOD_NAMES, NO_RULE } from '../client-rule.js';
import { type NamePattern, parseNamePattern } from '../name-pattern.js';
import { nearest } from '../nearest.js';
import type { Tree } from '../tree.js';
import { type Complain, items, section } from './items.js';
import { describe } from './scalars.js';

const KEYS = ['name', 'certificates', 'methods', 'onlyItself'];
/** Each is a label of a metric. */
const MOST_RULES = 64;
const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;
/** gRPC's, or all of one service. */
const PATH = /^\/[!-~]+\/(?:\*|[!-~]+)$/;

/** A list of rules. */
export function clientRules(description: string) {
  const allowed =
    'list of { name, certificates, methods, onlyItself }: see docs/security.md, "Which certificate may do what"';
  return describe(items(readRule, checkRules), { description, allowed, written: [] });
}

function checkRules(rules: readonly ClientRule[], complain: Complain): void {
  if (rules.length > MOST_RULES) complain([], `more than ${MOST_RULES} rules`);
  for (const [index, { name }] of rules.entries()) {
    const first = rules.findIndex((other) => other.name === name);
    if (name !== '' && first < index) complain([index, 'name'], `rules[${first}] has that name`);
  }
}

/** What is wrong is told, and the rule refused with all others: what is returned then is used by nobody. */
function readRule(given: unknown, complain: Complain): ClientRule {
  const item = section(given, KEYS, complain);
  if (item === undefined) return { name: '', certificates: [], methods: [], onlyItself: false };
  const { name, onlyItself = false } = item;
  if (name === undefined) complain([], 'the name is missing');
  else if (typeof name !== 'string' || !NAME.test(name) || name === NO_RULE)
    complain(['name'], `it must be up to 40 of a-z, 0-9 and "-", and not "${NO_RULE}"`);
  if (typeof onlyItself !== 'boolean') complain(['onlyItself'], 'it is not true or false');
  return {
    name: typeof name === 'string' ? name : '',
    certificates: readList(item, 'certificates', complain, readPattern),
    methods: readList(item, 'methods', complain, readMethod),
    onlyItself: onlyItself === true,
  };
}

function readList<T>(
  item: Tree,
  key: string,
  complain: Complain,
  read: (text: string, complain: (message: string) => void) => T | undefined,
): readonly T[] {
  const list = item[key];
  if (!Array.isArray(list) || list.length === 0) {
    complain(list === undefined ? [] : [key], `${key} is not a list of at least one`);
    return [];
  }
  return list.flatMap((text: unknown, index) => {
    if (typeof text === 'string') return read(text, (message) => complain([key, index], message)) ?? [];
    complain([key, index], 'it is not text');
    return [];
  });
}

function readPattern(text: string, complain: (message: string) => void): NamePattern | undefined {
  try {
    return parseNamePattern(text);
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

function readMethod(text: string, complain: (message: string) => void): string {
  const known = [...METHOD_GROUP_NAMES, ...METHOD_NAMES];
  if (known.includes(text) || PATH.test(text)) return text;
  const meant = nearest(text, known);
  const hint = meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${meant}?`;
  complain(text.startsWith('/') ? 'a path is /service/method or /service/*' : `no method or group; ${hint}`);
  return text;
}
