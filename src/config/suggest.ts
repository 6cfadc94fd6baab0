import type { SectionMeta } from './keys/registry.js';
import { everyKey } from './look-up.js';
import { nearest } from './nearest.js';

/** The key that an unknown `name` in the section at `above` was probably meant to be. */
export function suggest(
  name: string,
  above: readonly string[],
  within: SectionMeta,
): readonly string[] | undefined {
  const sibling = nearest(name, Object.keys(within.shape));
  if (sibling !== undefined) return [...above, sibling];
  // Right name, wrong section; worth saying only where one other section has it.
  const same = everyKey().filter(({ path }) => path.at(-1)?.toLowerCase() === name.toLowerCase());
  return same.length === 1 ? same[0]?.path : undefined;
}
