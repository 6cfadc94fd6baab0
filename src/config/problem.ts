import { formatPath, type Path } from './path.js';

/** Who said it. Lines and columns count from 1. */
export type Place =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'set'; readonly key: string }
  | { readonly kind: 'default' };

/** One thing that is wrong with the configuration. */
export type Problem = {
  /** Empty: the source as a whole. */
  readonly path: Path;
  readonly place: Place;
  /** Without secrets. */
  readonly found: string;
  readonly allowed: string;
  readonly didYouMean?: string | undefined;
};

export function formatProblem({ path, place, found, allowed, didYouMean }: Problem): string {
  const name = nameOnly(formatPath(path));
  const where = name === '' ? formatPlace(place) : `${name} (${formatPlace(place)})`;
  const hint = didYouMean === undefined ? '' : `; did you mean "${didYouMean}"?`;
  // One line each, whatever was in the file.
  return `${where}: found ${found}; allowed: ${allowed}${hint}`.replaceAll(/\s*[\r\n]+\s*/g, ' ');
}

/** The file from top to bottom, then env, then `--set`; what nobody wrote comes last. */
export function inReadingOrder(problems: readonly Problem[]): Problem[] {
  const rank = { file: 0, env: 1, set: 2, default: 3 };
  return problems.toSorted((one, other) => {
    if (one.place.kind !== 'file' || other.place.kind !== 'file')
      return rank[one.place.kind] - rank[other.place.kind];
    return one.place.line - other.place.line || one.place.column - other.place.column;
  });
}

function formatPlace(place: Place): string {
  switch (place.kind) {
    case 'file':
      return `${place.file}:${place.line}:${place.column}`;
    case 'env':
      return `env ${nameOnly(place.name)}`;
    case 'set':
      return `--set ${nameOnly(place.key)}`;
    case 'default':
      return 'default';
  }
}

/** "password:hunter2" without the blank is a name to YAML, and so is "redis.password hunter2" to `--set`: what no name has is cut off. */
function nameOnly(text: string): string {
  const name = /^[^\s:='"]*/.exec(text)?.[0] ?? '';
  return name === text ? text : `${name}…`;
}
