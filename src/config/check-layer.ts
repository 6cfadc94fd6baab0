import type { z } from 'zod';
import type { Layer } from './layers/layer.js';
import { lookUp } from './look-up.js';
import { nearest } from './nearest.js';
import { formatPath, type Path } from './path.js';
import type { Place, Problem } from './problem.js';
import { schema } from './schema.js';
import { show, withoutUserInfo } from './show.js';
import { suggest } from './suggest.js';
import { isTree, type Tree, valueAt, without } from './tree.js';

/** `tree` holds only what the schema takes, so that it can be merged; `failed` is what was taken out. */
export type CheckedLayer = {
  readonly tree: Tree;
  readonly problems: readonly Problem[];
  readonly failed: readonly Path[];
};

/** Unknown keys and wrong values of one layer, all of them. */
export function checkLayer(layer: Layer): CheckedLayer {
  const tree = isTree(layer.tree) ? withoutEmptySections(layer.tree, []) : layer.tree;
  const problems = new Map<string, Problem>();
  for (const issue of schema.safeParse(tree).error?.issues ?? []) {
    for (const problem of problemsOf(issue, tree, layer)) {
      const name = formatPath(problem.path);
      // The first is the nearest to the cause.
      if (!problems.has(name)) problems.set(name, problem);
    }
  }
  const failed = [...problems.values()].map(({ path }) => keyOf(path));
  const sound = failed.reduce<Tree>(without, isTree(tree) ? tree : {});
  return { tree: sound, problems: [...problems.values()], failed };
}

/** A section whose every key is commented out is null in YAML: it says nothing. */
function withoutEmptySections(tree: Tree, above: readonly string[]): Tree {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(tree)) {
    const path = [...above, name];
    if (value === null && lookUp(path).kind === 'section') continue;
    // Defined, not assigned: "__proto__" is a name like any other here, and must reach the schema to be refused.
    Object.defineProperty(kept, name, {
      value: isTree(value) ? withoutEmptySections(value, path) : value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return kept;
}

function problemsOf(issue: z.core.$ZodIssue, tree: unknown, layer: Layer): Problem[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'unrecognized_keys') return issue.keys.map((name) => unknownKey([...path, name], layer));
  const value = valueAt(tree, path);
  const place = placeNear(layer, path, 'value');
  const target = lookUp(path.map(String));
  if (target.kind === 'key') {
    const { secret, allowed, choices } = target.meta;
    const why = issue.code === 'custom' ? ` (${issue.message})` : '';
    const didYouMean = typeof value === 'string' ? nearest(value, choices) : undefined;
    return [{ path, place, found: withoutUserInfo(`${show(value, secret)}${why}`), allowed, didYouMean }];
  }
  const names = target.kind === 'section' ? Object.keys(target.meta.shape).join(', ') : '';
  // What is in place of a section may be anything, a secret too.
  const found = Array.isArray(value) ? 'a list' : `a ${value === null ? 'null' : typeof value}`;
  return [{ path, place, found, allowed: `a section with the keys ${names}` }];
}

function unknownKey(path: Path, layer: Layer): Problem {
  const target = lookUp(path.map(String));
  const place = placeNear(layer, path, 'name');
  if (target.kind !== 'unknown') return { path, place, found: 'an unknown key', allowed: '' };
  const meant = suggest(target.name, target.path, target.within);
  return {
    path,
    place,
    found: 'an unknown key',
    allowed: Object.keys(target.within.shape).join(', '),
    didYouMean: meant && formatPath(meant),
  };
}

/** The key that a path belongs to: a bad item takes its whole list with it. */
function keyOf(path: Path): Path {
  const target = lookUp(path.map(String));
  return target.kind === 'key' ? target.path : path;
}

/** Names that are no text in YAML (lists, nothing) cannot be found again in the file: what holds them can. */
function placeNear(layer: Layer, path: Path, part: 'name' | 'value'): Place {
  const place = layer.placeOf(path, part);
  if (place !== undefined || path.length === 0) return place ?? { kind: 'default' };
  return placeNear(layer, path.slice(0, -1), part);
}
