import { isDeepStrictEqual } from 'node:util';
import type { Conflict } from './conflict.js';
import { everyKey } from './look-up.js';
import { at, overlap, type Path } from './path.js';
import { type Settings, schema } from './schema.js';
import { show } from './show.js';
import { type Tree, valueAt } from './tree.js';

/** A key or section that does nothing yet. */
export type Unbuilt = {
  readonly path: string;
  /** Values beside the default that are accepted all the same. */
  readonly built: readonly unknown[];
  /** For the docs. */
  readonly note?: string;
};

/** What this version does not do. Whoever builds one of these takes its line out. */
export const UNBUILT: readonly Unbuilt[] = [{ path: 'keepAlive', built: [] }];

/** Every key that asks for something not built: refused, because ignored it would be believed to work. */
export function unbuiltConflicts(settings: Settings, written: Tree): Conflict[] {
  const defaults = schema.parse({});
  return everyKey().flatMap(({ path, meta }) => {
    const line = UNBUILT.find((unbuilt) => startsWith(path, at(unbuilt.path)));
    const value = valueAt(settings, path);
    const accepted = [valueAt(defaults, path), ...(line?.built ?? [])];
    if (line === undefined || accepted.some((one) => isDeepStrictEqual(one, value))) return [];
    const found = `${show(valueAt(written, path), meta.secret)}, which is not built yet in this version`;
    const allowed = [meta.written, ...line.built].map((one) => show(one)).join(' or ');
    return [{ paths: [path], found, allowed }];
  });
}

function startsWith(path: Path, start: Path): boolean {
  return path.length >= start.length && overlap(path, start);
}
