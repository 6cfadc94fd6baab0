import type { Found } from '../look-up.js';
import type { Place, Problem } from '../problem.js';
import { suggest } from '../suggest.js';
import { treeOf, valueAt } from '../tree.js';
import { type Layer, layerAt } from './layer.js';
import { readLiteral } from './literal.js';

/** One value from env or `--set`. `spell` writes a path the way that source does. */
export type Assignment = {
  readonly target: Found;
  readonly text: string;
  readonly place: Place;
  readonly spell: (path: readonly string[]) => string;
};

/** The assignment as a layer, or what is wrong with it. */
export function readAssignment(assignment: Assignment): Layer | Problem {
  const { target, text, place, spell } = assignment;
  if (target.kind === 'unknown') {
    const path = [...target.path, target.name];
    const here = Object.keys(target.within.shape).map((name) => spell([...target.path, name]));
    const meant = suggest(target.name, target.path, target.within);
    return {
      path,
      place,
      found: 'an unknown key',
      allowed: here.join(', '),
      didYouMean: meant && spell(meant),
    };
  }
  if (target.kind === 'key' && target.rest.length > 0) {
    const allowed = `${spell(target.path)}, as a whole`;
    return { path: target.path, place, found: 'something below a key', allowed };
  }
  const literal = readLiteral(text, target);
  if (literal.kind === 'value') {
    const tree = treeOf(target.path, literal.value);
    return layerAt(place, tree, (path) => valueAt(tree, path) !== undefined);
  }
  const found = `YAML that cannot be read (${literal.why})`;
  return {
    path: target.path,
    place,
    found,
    allowed: target.kind === 'key' ? target.meta.allowed : 'a section',
  };
}
