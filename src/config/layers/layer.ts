import type { Path } from '../path.js';
import type { Place, Problem } from '../problem.js';
import type { Tree } from '../tree.js';

/** One source of values: the file, one variable of the environment, or one `--set`. */
export type Layer = {
  readonly tree: unknown;
  /** Where this layer says it; undefined: it does not speak of `path`. */
  placeOf(path: Path, part: 'name' | 'value'): Place | undefined;
};

/** `complete: false`: what could not be read might have said anything, so nothing follows from its absence. */
export type LayersRead = {
  readonly layers: readonly Layer[];
  readonly problems: readonly Problem[];
  readonly complete: boolean;
};

/** For layers that are written in one place. */
export function layerAt(place: Place, tree: Tree, has: (path: Path) => boolean): Layer {
  return { tree, placeOf: (path) => (has(path) ? place : undefined) };
}
