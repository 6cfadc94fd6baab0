import type { Path } from './path.js';

/** YAML as plain data. */
export type Tree = { readonly [name: string]: unknown };

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at `path`; undefined: not there. Never looks at what a prototype holds. */
export function valueAt(tree: unknown, path: Path): unknown {
  let value = tree;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** A tree of one value. */
export function treeOf(path: readonly string[], value: unknown): Tree {
  const [name, ...rest] = path;
  if (name === undefined) return isTree(value) ? value : {};
  return { [name]: rest.length === 0 ? value : treeOf(rest, value) };
}

/** `over` on top of `base`: sections are merged, everything else, lists included, is replaced. */
export function merge(base: Tree, over: Tree): Tree {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name];
    merged[name] = isTree(below) && isTree(value) ? merge(below, value) : value;
  }
  return merged;
}

/** The tree without the value at `path`. */
export function without(tree: Tree, path: Path): Tree {
  const [name, ...rest] = path;
  if (name === undefined) return {};
  return Object.fromEntries(
    Object.entries(tree)
      .filter(([other]) => rest.length > 0 || other !== name)
      .map(([other, value]) => [other, other === name && isTree(value) ? without(value, rest) : value]),
  );
}
