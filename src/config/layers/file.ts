import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from 'yaml';
import type { Path } from '../path.js';
import type { Place, Problem } from '../problem.js';
import type { LayersRead } from './layer.js';

const NO_LAYER = { layers: [], complete: false };

/** A YAML text as a layer. `name` is what its problems call it. An empty text is an empty layer. */
export function readYaml(text: string, name: string): LayersRead {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { kind: 'file', file: name, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const [document, second] = [...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })];
  if (document === undefined) return { layers: [], problems: [], complete: true };

  const problems = syntaxProblems(document, placeAt);
  if (second !== undefined) {
    const found = 'a second YAML document';
    problems.push({ path: [], place: placeAt(second.range[0]), found, allowed: 'one document' });
  }
  const readable = document.errors.every(({ code }) => code === 'DUPLICATE_KEY');
  if (!readable) return { ...NO_LAYER, problems };

  try {
    const tree = (document.toJS() as unknown) ?? {};
    const placeOf = (path: Path, part: 'name' | 'value') => {
      const offset = offsetOf(document.contents, path, part);
      return offset === undefined ? undefined : placeAt(offset);
    };
    return { layers: [{ tree, placeOf }], problems, complete: true };
  } catch (error) {
    // Aliases that multiply beyond the parser's bound, or lead nowhere.
    const found = `YAML that cannot be resolved (${error instanceof Error ? error.message : String(error)})`;
    problems.push({ path: [], place: placeAt(0), found, allowed: 'plain YAML' });
    return { ...NO_LAYER, problems };
  }
}

function syntaxProblems(document: Document.Parsed, placeAt: (offset: number) => Place): Problem[] {
  return [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    path: [],
    place: placeAt(pos[0]),
    found: code === 'DUPLICATE_KEY' ? 'a key that is already there' : `YAML that cannot be read (${message})`,
    allowed: code === 'DUPLICATE_KEY' ? 'each key once' : 'YAML 1.2',
  }));
}

/** Where the name or the value at `path` begins in the text. */
function offsetOf(contents: unknown, path: Path, part: 'name' | 'value'): number | undefined {
  let name: unknown = contents;
  let value: unknown = contents;
  for (const step of path) {
    const parent = isAlias(value) ? resolve(contents, value.source) : value;
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

function resolve(contents: unknown, anchor: string): Node | undefined {
  if (!isNode(contents)) return undefined;
  if ('anchor' in contents && contents.anchor === anchor) return contents;
  if (isSeq(contents)) return firstOf(contents.items, (item) => resolve(item, anchor));
  if (isMap(contents)) return firstOf(contents.items, ({ value }) => resolve(value, anchor));
  return undefined;
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function start(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
