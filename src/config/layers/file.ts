import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type YAMLError,
} from 'yaml';
import type { Path } from '../path.js';
import type { Place, Problem } from '../problem.js';
import type { LayersRead } from './layer.js';
import { yamlTrouble } from './yaml-trouble.js';

type PlaceAt = (offset: number) => Place;

const NO_LAYER = { layers: [], complete: false };

/** A YAML text as a layer. `name` is what its problems call it. An empty text is an empty layer. */
export function readYaml(text: string, name: string): LayersRead {
  const lines = new LineCounter();
  const placeAt: PlaceAt = (offset) => {
    const { line, col } = lines.linePos(offset);
    return { kind: 'file', file: name, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const [document, second] = [
    ...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' }),
  ];
  if (document === undefined) return { layers: [], problems: [], complete: true };

  const broken = unreadable(document, placeAt);
  const problems = [...duplicateKeys(document, placeAt), ...broken];
  if (second !== undefined) {
    const found = 'a second YAML document';
    problems.push({ path: [], place: placeAt(second.range[0]), found, allowed: 'one document' });
  }
  if (broken.length > 0) return { ...NO_LAYER, problems };

  try {
    const tree = (document.toJS() as unknown) ?? {};
    const placeOf = (path: Path, part: 'name' | 'value') => {
      const offset = offsetOf(document, path, part);
      return offset === undefined ? undefined : placeAt(offset);
    };
    return { layers: [{ tree, placeOf }], problems, complete: true };
  } catch (error) {
    // Aliases that multiply beyond the parser's bound.
    const found = `YAML that cannot be resolved (${yamlTrouble(error)})`;
    problems.push({ path: [], place: placeAt(0), found, allowed: 'plain YAML' });
    return { ...NO_LAYER, problems };
  }
}

function duplicateKeys(document: Document.Parsed, placeAt: PlaceAt): Problem[] {
  const offsets = new Set(document.errors.filter(isDuplicateKey).map(({ pos }) => pos[0]));
  const problems: Problem[] = [];
  visit(document, {
    Pair: (_, pair, ancestors) => {
      const offset = start(pair.key);
      if (offset === undefined || !offsets.has(offset)) return;
      const path = [...ancestors, pair]
        .filter(isPair)
        .map(({ key }) => (isScalar(key) ? String(key.value) : '?'));
      problems.push({
        path,
        place: placeAt(offset),
        found: 'a key that is already there',
        allowed: 'each key once',
      });
    },
  });
  return problems;
}

/** What leaves no tree to judge: bad syntax, tags we do not know, aliases of nothing. */
function unreadable(document: Document.Parsed, placeAt: PlaceAt): Problem[] {
  const bad = (offset: number, why: string): Problem => {
    return {
      path: [],
      place: placeAt(offset),
      found: `YAML that cannot be read (${why})`,
      allowed: 'YAML 1.2',
    };
  };
  const errors = [...document.errors, ...document.warnings].filter((error) => !isDuplicateKey(error));
  const problems = errors.map((error) => bad(error.pos[0], yamlTrouble(error)));
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined)
        problems.push(bad(start(alias) ?? 0, 'an alias of nothing; a value that begins with * wants quotes'));
    },
  });
  return problems;
}

function isDuplicateKey({ code }: YAMLError): boolean {
  return code === 'DUPLICATE_KEY';
}

/** Where the name or the value at `path` begins in the text. */
function offsetOf(document: Document.Parsed, path: Path, part: 'name' | 'value'): number | undefined {
  let name: unknown = document.contents;
  let value: unknown = document.contents;
  for (const step of path) {
    const parent = isAlias(value) ? value.resolve(document) : value;
    if (isMap(parent)) {
      // The last of two with the same name: that is whose value counts.
      const pair = parent.items.findLast(
        ({ key }) => (isScalar(key) ? String(key.value) : undefined) === step,
      );
      if (pair === undefined) return undefined;
      name = pair.key;
      value = pair.value;
    } else if (isSeq(parent) && typeof step === 'number') {
      value = parent.items[step];
      name = value;
    }
  }
  return start(part === 'name' ? name : value) ?? start(name) ?? (path.length === 0 ? 0 : undefined);
}

function start(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
